#!/usr/bin/env bash
# Valkey 9.1.2: valkey-check-aof calls every append-only folder that this version wrote broken, and so cannot repair a torn one.
#
# What: since 9.0 a base file begins with VALKEY, not with REDIS. The server knows that, valkey-check-rdb knows it, valkey-check-aof does not: it reads the base as commands,
# says "format error" at offset 0 and stops before the file that may be torn. With --fix it gives up, as only the last file may be cut.
# Why it hurts: the server that refuses to start names just this tool. In the night of the power cut the only way to repair does not work, and a check in a backup job
# says that every backup is broken; who believes it throws a healthy folder away.
# Who should care: who runs Valkey 9 with an append-only file. aof-use-rdb-preamble no helps before; afterwards cut the incremental file by hand (or with 8.1's tool).
# Source: valkey-io/valkey pull request 4739 (open in September 2026); src/valkey-check-aof.c. Valkey 8.1.1 and Redis 8.6.3 check their own folders well.
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

fetch valkey sid valkey-server=9.1.2-1 valkey-tools=9.1.2-1 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 libsystemd0 libcap2 libssl3t64 \
  libzstd1 zlib1g
use valkey valkey-cli
client=("${cmd[@]}")

port=$(free_port)
options=(--appendonly yes --appendfsync always)
start valkey valkey-server "$port" "$work/data" "${options[@]}"
cli "$port" set a 1 >/dev/null
stop "$pid"
use valkey valkey-check-aof
verdict=0
"${cmd[@]}" "$work/data/appendonlydir/appendonly.aof.manifest" >"$work/check" 2>&1 || verdict=$?
message=$(grep -a 'not valid' "$work/check" | head -n 1 || true)
start valkey valkey-server "$port" "$work/data" "${options[@]}"
loaded=$(cli "$port" get a)

echo 'expected: a folder that the server of the same package wrote, and loads, is valid for its tool'
echo "seen:     exit code $verdict, \"$message\"; the server loads it: a=$loaded"
[[ $loaded == 1 ]] || { echo 'the server does not load its folder'; exit 2; }
((verdict != 0)) || { echo 'CHANGED: the tool says that the folder is valid'; exit 1; }
