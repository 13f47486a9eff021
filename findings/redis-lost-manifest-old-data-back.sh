#!/usr/bin/env bash
# Redis 8.0.2: without its manifest an append-only folder counts as new: the server starts empty, takes writes, and one start later the old values stand again.
#
# What: where appendonly.aof.manifest is missing, the other files beside it are not looked at. The server makes a base and a manifest with the same numbers, and appends to the
# incremental file that is already there. The next start plays that file from its old beginning: old commands first, then the new ones.
# Why it hurts: first everything is gone without an error, a day later it is back under what was written since: SETNX was answered with 1 and its value is replaced
# by the old one, as the log has the old SET first and SETNX then does nothing. Two clients were told that they own the lock, and the second one loses it.
# Who should care: who restores folders file by file, copies with a pattern (*.aof, *.rdb), or builds on SETNX. Look for files without a manifest before the start.
# Source: src/aof.c (aofLoadManifestFromDisk); redis/redis issues 12098 and 12762 are near. The same on Redis 7.0.15, 8.6.3, Valkey 8.1.1, 9.1.2, Redict 7.3.6.
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
options=(--appendonly yes --appendfsync always)
start redis redis-server "$port" "$work/data" "${options[@]}"
cli "$port" set owner first >/dev/null
cli "$port" set other value >/dev/null
stop "$pid"
rm "$work/data/appendonlydir/appendonly.aof.manifest" # the restore that left one file out
launch redis redis-server "$port" "$work/data" "${options[@]}"
sleep 2
kill -0 "$pid" 2>/dev/null || { echo 'CHANGED: it does not start without the manifest'; exit 1; }
until_ok answers "$port"
empty=$(cli "$port" dbsize)
taken=$(cli "$port" setnx owner second)
owner=$(cli "$port" get owner)
stop "$pid"
start redis redis-server "$port" "$work/data" "${options[@]}"
again=$(cli "$port" get owner)
other=$(cli "$port" get other)

echo 'expected: no start, as there are append-only files without a manifest; or else empty for good'
echo "seen:     it starts with $empty keys, SETNX owner second: $taken, GET: $owner; after one more restart: owner=$again, other=${other:-nothing}"
[[ $empty == 0 && $taken == 1 && $owner == second && $again == first && $other == value ]] || { echo 'CHANGED: the old data do not come back'; exit 1; }
