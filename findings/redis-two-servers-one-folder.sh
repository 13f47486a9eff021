#!/usr/bin/env bash
# Redis 8.0.2: a second server over the same append-only folder starts without a word, and a rewrite by one of them drops what the other acknowledged.
#
# What: there is no lock on the data folder (only on nodes.conf, in cluster mode). The second server loads what is there and appends to the same file. When the
# first one rewrites its file, the file of the second has no name any more: it goes on answering, `appendfsync always` and WAITAOF 1 included, into nothing.
# Why it hurts: an overlap of two containers over one volume (a rolling update, a restart by hand, a fencing that came late) loses acknowledged writes, and
# two acceptors, or two lock servers, answer from one state that has forked. Any start of Redis over a folder rewrites or appends; nothing is said in a log.
# Who should care: who relies on the volume for mutual exclusion. etcd locks its folder, Redis does not: lock it outside (flock round the start).
# Source: redis/redis pull request 1594 (the lock on nodes.conf, and no other); src/aof.c. The same on Redis 7.0.15, 8.6.3, Valkey 9.1.2 and Redict 7.3.6.
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
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/usr/bin/$2")
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

# launch NAME PROGRAM PORT FOLDER OPTION...: starts a server on loopback; its process is pid.
launch() {
  local folder=$4 fixed=(--port "$3" --bind 127.0.0.1 --dir "$4" --save '')
  mkdir -p "$folder"
  use "$1" "$2"
  shift 4
  "${cmd[@]}" "${fixed[@]}" "$@" >>"$folder/log" 2>&1 &
  pid=$!
  pids+=("$pid")
}

# start, as launch, and waits until it answers.
start() {
  launch "$@"
  until_ok answers "$3"
}

stop() {
  { kill -9 "$1" && wait "$1"; } 2>/dev/null || true
}

answers() { [[ $(cli "$1" ping) == PONG ]]; }

cli() {
  local port=$1
  shift
  "${client[@]}" -p "$port" "$@"
}

fetch redis trixie redis-server=5:8.0.2-3+deb13u3 redis-tools=5:8.0.2-3+deb13u3 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 \
  libsystemd0 libcap2 libssl3t64 libzstd1 zlib1g
use redis redis-cli
client=("${cmd[@]}")

port1=$(free_port)
port2=$(free_port)
options=(--appendonly yes --appendfsync always)

start redis redis-server "$port1" "$work/data" "${options[@]}"
first=$pid
cli "$port1" set before 1 >/dev/null
launch redis redis-server "$port2" "$work/data" "${options[@]}"
second=$pid
sleep 2
kill -0 "$second" 2>/dev/null || { echo 'CHANGED: the second server does not start'; exit 1; }
until_ok answers "$port2"
loaded=$(cli "$port2" get before)
cli "$port1" bgrewriteaof >/dev/null
until_ok test -e "$work/data/appendonlydir/appendonly.aof.2.base.rdb"
until_ok test ! -e "$work/data/appendonlydir/appendonly.aof.1.incr.aof"
written=$(cli "$port2" set after 2)
synced=$(printf '%s\n' 'set after 3' 'waitaof 1 0 0' | cli "$port2" | sed -n 2p)
stop "$first"
stop "$second"
start redis redis-server "$port1" "$work/data" "${options[@]}"
before=$(cli "$port1" get before)
after=$(cli "$port1" get after)

echo 'expected: the second server refuses the folder; or what it acknowledges as synced is there after a restart'
echo "seen:     it starts (before=$loaded), answers SET with $written and WAITAOF with $synced; after a restart: before=$before, after=${after:-nothing}"
[[ $loaded == 1 && $written == OK && $synced == 1 && $before == 1 && -z $after ]] || { echo 'CHANGED: the write is still there'; exit 1; }
