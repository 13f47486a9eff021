#!/usr/bin/env bash
# Redis 8.0.2: WATCH notices that a watched key has expired, and not that a field of a watched hash has: EXEC runs on what is no more.
#
# What: EXEC looks whether a watched key is past its time, also while it is still in memory. For fields with a time of their own (HPEXPIRE) only their removal counts, which
# comes by a timer, later. Until then EXEC is carried out although HGET in the same transaction says that the field is gone.
# Why it hurts: a lease as a hash field: WATCH, HGET says "mine", MULTI, write, EXEC. As a key it is safe at the end of the lease, as a field it writes after it.
# Who should care: who moves locks, leases or sessions from keys into fields. Compare inside a script, which sees one time throughout.
# Source: src/multi.c (isWatchedKeyExpired); the documentation of WATCH and HPEXPIRE. The same on Redis 8.0.6, 8.6.3 and Valkey 9.1.2: 33 to 37 of 40.
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
start redis redis-server "$port" "$work/data" --appendonly no
# late READ COMMAND...: COMMAND makes a lease of 40 ms; of 30 transactions, how many were carried out though READ said "me" after WATCH and nothing in EXEC
late() {
  local read="redis.call($1, KEYS[1]${2:+, $2})"
  for _ in $(seq 30); do
    printf '%s\n' 'del lease' "${@:3}" 'watch lease'
    echo "eval \"if $read == 'me' then redis.call('SET', 'held', 1) else redis.call('DEL', 'held') end\" 1 lease"
    sleep 0.06
    echo multi
    echo "eval \"if redis.call('EXISTS', 'held') == 1 and not $read then redis.call('INCR', 'late') end\" 1 lease"
    echo exec
  done | cli "$port" >/dev/null
  cli "$port" get late
  cli "$port" del late >/dev/null
}
key=$(late "'GET'" '' 'set lease me px 40')
field=$(late "'HGET'" "'owner'" 'hset lease owner me other x' 'hpexpire lease 40 fields 1 owner')

echo 'expected: EXEC does nothing once the lease has ended, whether the lease is a key or a field'
echo "seen:     of 30 transactions ran after the end of the lease: with the lease as a key ${key:-0}, as a field ${field:-0}"
((${key:-0} == 0)) || { echo 'CHANGED: the expiry of a key is not noticed'; exit 1; }
((${field:-0} >= 3)) || { echo 'CHANGED: the expiry of a field is noticed'; exit 1; }
