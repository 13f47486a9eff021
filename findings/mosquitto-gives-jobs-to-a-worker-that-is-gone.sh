#!/usr/bin/env bash
# Mosquitto 2.1.2: with shared subscriptions ($share/GROUP/TOPIC) every second job goes to a worker that is away, while the other one waits for work; and if its session ends before it comes back these jobs are lost.
#
# What: the members of a group are served in turn, connected or not, for as long as their session lasts. What was laid aside for one is given to no other, neither while it is away nor when its session is over. MQTT 5
# leaves the first to the server, and says that of QoS 1 a message SHOULD go to another member in the second case (4.8.2). VerneMQ chooses among those that are connected.
# Why it hurts: a worker crashes, or is deployed anew under another client id, and half of all jobs wait for it for as long as its session expiry, an hour or a day, and then are dropped. Each had been acknowledged.
# Who should care: queues of work over MQTT. A session expiry of 0 for workers: then a member that is gone is none, and only what it had not acknowledged is lost.
# Source: OASIS MQTT 5.0, 4.8.2; src/subs.c, subs__shared_process(); Mosquitto's issue 2662.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

# fetch NAME RELEASE PACKAGE=VERSION...: unpacks packages of a Debian release into $work/NAME, from the mirror that this machine uses, beside its own packages.
fetch() {
  local name=$1 release=$2 lists=$work/lists-$2 mirror
  shift 2
  mkdir -p "$work/$name" "$lists/partial" "$work/cache"
  : >"$work/status"
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" | awk '!/security/ && !seen++')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$lists.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any)
  "${apt[@]}" update || { echo "the mirror has no $release, or cannot be reached" >&2; exit 2; }
  if ! (cd "$work/$name" && "${apt[@]}" download "$@" >"$work/apt" 2>&1); then
    cat "$work/apt" >&2
    if grep -q 'not found' "$work/apt"; then echo "not available any more: $1 in $release" >&2; exit 3; fi
    exit 2
  fi
  echo "package: $1 of Debian $release"
  find "$work/$name" -maxdepth 1 -name '*.deb' -exec dpkg -x {} "$work/$name" \; -exec rm {} \;
}

# use NAME PROGRAM: sets cmd to what starts a program of $work/NAME with the libraries of its own release.
use() {
  local libc
  libc=$(dirname "$(find "$work/$1" -name libc.so.6 -print -quit)")
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/$2")
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

until_ok() {
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "gave up waiting for: $*" >&2
  exit 2
}

fetch mosquitto sid mosquitto=2.1.2-3 mosquitto-clients=2.1.2-3 libmosquitto1 libbsd0 libc6 libcap2 libcjson1 libdlt3 libedit2 libffi8 libgcc-s1 libgmp10 libgnutls30t64 libhogweed6t64 libidn2-0 libmd0 \
  libmicrohttpd12t64 libnettle8t64 libp11-kit0 libpicohttpparser1 libsqlite3-0 libssl3t64 libsystemd0 libtasn1-6 libtinfo6 libunistring5 libwrap0 libzstd1 zlib1g
use mosquitto usr/sbin/mosquitto
libraries=$(dirname "${cmd[0]}")
# The name by which this one is asked for is made when it is installed.
ln -s "$(basename "$(find "$work/mosquitto/usr/lib" -name 'libpicohttpparser.so.1.*')")" "$work/mosquitto/usr/lib/${libraries##*/}/libpicohttpparser.so.1"
port=$(free_port)
printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n' "$port" >"$work/conf"
"${cmd[@]}" -c "$work/conf" >"$work/log" 2>&1 &
pids+=("$!")
until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"

# mqtt pub|sub OPTION...
mqtt() {
  use mosquitto "usr/bin/mosquitto_$1"
  "${cmd[@]}" -h 127.0.0.1 -p "$port" -V mqttv5 -q 1 "${@:2}"
}
# ten GROUP EXPIRY WAIT: what a connected worker has of ten jobs, of which a second one is away whose session lasts EXPIRY seconds, and what that one is given when it is back after WAIT seconds.
ten() {
  local topic="\$share/workers/$1" here
  mqtt sub -i "$1-away" -c -x "$2" -t "$topic" -E
  timeout 60 "${reader[@]}" -i "$1-here" -t "$topic" >"$work/$1" 2>>"$work/log" &
  pids+=("$!")
  # Until it is a member of the group.
  sleep 2
  seq 10 | mqtt pub -t "$1" -l
  sleep "$3"
  here=$(wc -l <"$work/$1")
  mqtt sub -i "$1-away" -c -x "$2" -t "$topic" -W 3 >"$work/$1-away" 2>>"$work/log" || true
  echo "$here by the one that is connected, $(wc -l <"$work/$1-away") by the other one when it is back"
}
use mosquitto usr/bin/mosquitto_sub
reader=("${cmd[@]}" -h 127.0.0.1 -p "$port" -V mqttv5 -q 1)
kept=$(ten kept 86400 3)
ended=$(ten ended 8 14)

echo 'expected: of ten jobs the worker that is connected has ten, while the other one is away'
echo "seen:     the other one's session lasts a day: $kept"
echo "          the other one's session ended before: $ended"
half='5 by the one that is connected,'
[[ $kept == "$half 5 by "* && $ended == "$half 0 by "* ]] || { echo 'CHANGED: the worker that is connected has more of them, or none is lost'; exit 1; }
