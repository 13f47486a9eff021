#!/usr/bin/env bash
# Redis 8.0.2: CONFIG SET appendonly yes says OK, INFO says aof_enabled:1, and `appendfsync always` acknowledges writes that no start will find.
#
# What: the append-only file counts from the end of its first rewrite on, as only then a manifest names it. Until then new writes go to a temporary file that is not read at a
# start. How long that is grows with the data (here rdb-key-save-delay stands for a large set); a rewrite that fails leaves it so.
# Why it hurts: the documented way to turn durability on in a running server: OK, INFO checked, acknowledged - and a power cut in those seconds or minutes loses all.
# Who should care: who turns it on at runtime, and whoever checks aof_enabled. Wait for aof_rewrite_in_progress:0 and aof_last_bgrewrite_status:ok, or use WAITAOF, which
# rightly says 0 until then.
# Source: the documentation on persistence; redis/redis pull request 10616; src/aof.c (AOF_WAIT_REWRITE). The same on Redis 7.0.15, 8.6.3, Valkey 8.1.1, 9.1.2, Redict 7.3.6.
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

port=$(free_port)
start redis redis-server "$port" "$work/data" --appendonly no --appendfsync always --rdb-key-save-delay 1000
awk 'BEGIN { for (i = 0; i < 20000; i++) print "set key:" i " value" }' | cli "$port" >/dev/null # 20 seconds of rewriting
said=$(cli "$port" config set appendonly yes)
enabled=$(cli "$port" info persistence | grep -o 'aof_enabled:.')
written=$(cli "$port" set after 1)
synced=$(printf '%s\n' 'set after 2' 'waitaof 1 0 200' | cli "$port" | sed -n 2p)
stop "$pid"
start redis redis-server "$port" "$work/data" --appendonly yes
left=$(cli "$port" dbsize)

echo 'expected: after CONFIG SET appendonly yes was answered with OK, an acknowledged write is there after a kill'
echo "seen:     CONFIG SET: $said, INFO: $enabled, SET: $written, WAITAOF: $synced; after kill and restart: $left keys"
[[ $said == OK && $enabled == aof_enabled:1 && $written == OK && $left == 0 ]] || { echo 'CHANGED: the write is there'; exit 1; }
