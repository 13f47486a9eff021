#!/usr/bin/env bash
# Redis 8.0.2: zero bytes at the end of the append-only file, as file systems leave them at a power cut, keep it from starting, `aof-load-truncated yes` or not.
#
# What: a file system may have made the file longer before the data were there (ext4, XFS, network disks): the tail reads as zeros. That is no truncated command but
# a wrong one, and the server ends at its start. The half command that aof-load-truncated is for is cut off and the rest loaded.
# Why it hurts: what was acknowledged is all there, yet no acceptor comes up again by itself after the power cut that hit them all, although the option reads as if it did.
# Who should care: who counts on an unattended restart. redis-check-aof --fix cuts the tail (it asks; after a copy); Redis 8.4 and later have
# aof-load-corrupt-tail-max-size, 0 by default.
# Source: redis/redis issue 5177, pull request 14058; valkey-io/valkey issue 1148 (open). The same on Redis 7.0.15, 8.6.3, Valkey 8.1.1, 9.1.2, Redict 7.3.6.
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
options=(--appendonly yes --appendfsync always --aof-load-truncated yes)
# after_tail FOLDER COMMAND: what a server says after its last file went through COMMAND
after_tail() {
  start redis redis-server "$port" "$work/$1" "${options[@]}"
  cli "$port" set a 1 >/dev/null
  cli "$port" set b 2 >/dev/null
  stop "$pid"
  "${@:2}" "$work/$1/appendonlydir/appendonly.aof.1.incr.aof"
  launch redis redis-server "$port" "$work/$1" "${options[@]}"
  for _ in $(seq 50); do
    sleep 0.1
    if answers "$port" 2>/dev/null; then
      echo "starts with a=$(cli "$port" get a)"
      stop "$pid"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
  done
  echo "does not start: $(grep -a -o 'Bad file format[^:]*' "$work/$1/log" | head -n 1)"
}
after_tail half truncate -s -3 >"$work/half-tail"
after_tail zeros truncate -s +4000 >"$work/zero-tail"
half=$(cat "$work/half-tail")
zeros=$(cat "$work/zero-tail")

echo 'expected: with aof-load-truncated yes both a half command and 4,000 zero bytes at the end are left out'
echo "seen:     half a command: $half; zeros: $zeros"
[[ $half == 'starts with a=1' ]] || { echo 'CHANGED: a half command is not left out'; exit 1; }
[[ $zeros == 'does not start: Bad file format'* ]] || { echo 'CHANGED: it starts'; exit 1; }
