#!/usr/bin/env bash
# Valkey 9.1.2 with io-threads 2: `appendfsync always` does not hold for about one answer in a hundred, although the code means it to.
#
# What: in two places 9.1 keeps answers back under `always` until the file is flushed. A third one forgets it: when the thread reports that the last answer of a connection is
# written, and its next request was worked off in the same batch, that one's answer is handed to the thread at once, before the flush. It takes a few busy connections.
# Why it hurts: an acknowledged write is lost with the power, and with a kill of the process if the flush has not begun. Rare enough for every test of durability to pass.
# Who should care: who runs Valkey 9 as the only copy, as an acceptor or as a lock, with threads. io-threads 1 (the default) holds, and so do 8.0.1 and 8.1.1 with threads.
# Source: src/networking.c of 9.1.2: processClientIOWriteDone, beside processInputBuffer's caller and beforeSleep (src/server.c), which look at aof_fsync. How it is seen: as
# in redis-io-threads-answer-before-fsync.sh, by the number of INCR in the file when the last fdatasync began.
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

fetch strace bookworm strace=6.1-0.1 libc6 libunwind8 liblzma5

# early THREADS COUNT: of 8 times COUNT INCR by eight connections, how many were answered before their fdatasync was done
early() {
  local port tracer loads=()
  port=$(free_port)
  start valkey valkey-server "$port" "$work/threads-$1" --appendonly yes --appendfsync always --io-threads "$1"
  use strace strace
  "${cmd[@]}" -f -p "$pid" -s 4000 -e trace=write,writev,sendto,fdatasync -o "$work/trace-$1" 2>"$work/strace-log" &
  tracer=$!
  pids+=("$tracer")
  until_ok grep -q attached "$work/strace-log"
  for _ in $(seq 8); do
    awk -v count="$2" 'BEGIN { for (i = 0; i < count; i++) print "incr c" }' | cli "$port" >/dev/null &
    loads+=("$!")
  done
  wait "${loads[@]}"
  kill -INT "$tracer"
  wait "$tracer" 2>/dev/null || true
  stop "$pid"
  awk '
    /fdatasync\(/ { begun[$1] = written }
    /fdatasync.*= 0$/ { if (begun[$1] > synced) synced = begun[$1] }
    /incr\\r\\n/ { written += gsub(/incr\\r\\n/, "") }
    match($0, /":[0-9]+\\r\\n"/) { answers++; if (substr($0, RSTART + 2) + 0 > synced) early++ }
    END { print early + 0, "of", answers }' "$work/trace-$1"
}
early 1 250 >"$work/one"
early 2 1500 >"$work/two"

echo 'expected: with appendfsync always no answer before its fdatasync, with one thread or two'
echo "seen:     io-threads 1: $(cat "$work/one") answers before their fdatasync; io-threads 2: $(cat "$work/two")"
read -r one _ total1 <"$work/one"
read -r two _ total2 <"$work/two"
[[ $total1 == 2000 && $total2 == 12000 ]] || { echo 'the trace is not complete'; exit 2; }
((one == 0 && two > 0)) || { echo 'CHANGED: answers wait for their fdatasync'; exit 1; }
