#!/usr/bin/env bash
# Redis 8.0.2: WAITAOF inside MULTI or a script says that a write is synced which nobody has synced.
#
# What: in a transaction or a script WAITAOF does not wait, which is documented, and it does not count what the same transaction wrote either: it compares with the last
# write before it, or with nothing. So it answers 1. On its own, right after, it says 0 for the same write.
# Why it hurts: "write and check in one go" reads as a proof of durability and is none: nothing was synced, here never will be (appendfsync no), else up to a second later.
# Who should care: who uses WAITAOF with everysec or no, instead of `appendfsync always`, and puts it where it looks atomic.
# Source: the documentation of WAITAOF; redis/redis pull request 12977 (WAITAOF allowed in scripts), valkey-io/valkey pull request 776 (the offset in scripts).
# The same on Redis 8.6.3 and Redict 7.3.6; on Valkey 8.1.1 and 9.1.2 for the first write of a connection.
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
start redis redis-server "$port" "$work/data" --appendonly yes --appendfsync no

transaction=$(printf '%s\n' multi 'set a 1' 'waitaof 1 0 0' exec | cli "$port" | sed -n '5p')
script=$(cli "$port" eval "redis.call('SET', KEYS[1], 1) return redis.call('WAITAOF', 1, 0, 0)" 1 b | sed -n 1p)
alone=$(printf '%s\n' 'set c 1' 'waitaof 1 0 300' | cli "$port" | sed -n 2p)

echo 'expected: 0 everywhere: with appendfsync no nothing was synced'
echo "seen:     in MULTI: $transaction, in a script: $script, on its own: $alone"
[[ $transaction == 1 && $script == 1 && $alone == 0 ]] || { echo 'CHANGED: WAITAOF says the same everywhere, or syncs'; exit 1; }
