#!/usr/bin/env bash
# Redis 7.0.15 as the replica of a master that was upgraded to 8.0.2: the sync it cannot read empties it, and promoting it empties its file, too.
#
# What: the new master's snapshot has a later format version. The replica throws its data away before it looks at the version, says that it cannot handle it, tries
# again every second, and serves nothing meanwhile. Its own append-only file is still whole - until REPLICAOF NO ONE (a failover), which rewrites it from the empty memory.
# Why it hurts: the standby copy is gone at the moment it is needed: upgrade the master first by mistake, it fails, the operator or Sentinel promotes the replica: no keys.
# Who should care: who upgrades a pair, or mixes Redis and Valkey. Replicas first; the replica's file is the copy to save; repl-diskless-load swapdb keeps the data.
# Source: valkey-io/valkey issue 2588 and pull request 2600 (Valkey looks at the version first since 9.0); src/replication.c. The same with Redis 8.0.2 under a master
# 8.6.3, 7.0.15 under Valkey 8.1.1, Valkey 8.1.1 under Redis 8.0.2. Not with 8.1.1 under 9.1.2, which sends what the replica can read.
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

fetch old bookworm redis-server=5:7.0.15-1~deb12u7 redis-tools=5:7.0.15-1~deb12u7 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 \
  libsystemd0 libcap2 libssl3 libzstd1 zlib1g liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 libgcrypt20 libgpg-error0 liblzma5 liblz4-1
fetch new trixie redis-server=5:8.0.2-3+deb13u3 redis-tools=5:8.0.2-3+deb13u3 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 libsystemd0 \
  libcap2 libssl3t64 libzstd1 zlib1g
use new redis-cli
client=("${cmd[@]}")

master_port=$(free_port)
replica_port=$(free_port)
options=(--appendonly yes --appendfsync always --repl-diskless-sync-delay 0)
keys() { [[ $(cli "$1" dbsize) == "$2" ]]; }
in_file() { grep -q -a "key:5" "$work/replica/appendonlydir/"*.base.rdb; }

start old redis-server "$master_port" "$work/master" "${options[@]}"
master=$pid
for i in 1 2 3 4 5; do cli "$master_port" set "key:$i" value >/dev/null; done
start old redis-server "$replica_port" "$work/replica" "${options[@]}" --replicaof "127.0.0.1 $master_port"
replica=$pid
until_ok keys "$replica_port" 5
until_ok in_file
stop "$master"
start new redis-server "$master_port" "$work/master" "${options[@]}" # the upgrade: same folder, same port
master=$pid
upgraded=$(cli "$master_port" dbsize)
sleep 6
unsynced=$(cli "$replica_port" dbsize)
cli "$replica_port" replicaof no one >/dev/null
promoted=$(cli "$replica_port" dbsize)
sleep 2
stop "$master"
stop "$replica"
start old redis-server "$replica_port" "$work/replica" "${options[@]}"
restarted=$(cli "$replica_port" dbsize)

echo 'expected: the replica refuses the snapshot and keeps its 5 keys, in memory and on disk'
echo "seen:     master upgraded: $upgraded keys there; the replica has $unsynced, after its promotion $promoted, and after a restart $restarted"
[[ $upgraded == 5 ]] || { echo 'the upgraded master does not have the keys'; exit 2; }
[[ $unsynced == 0 && $promoted == 0 && $restarted == 0 ]] || { echo 'CHANGED: the replica keeps its keys'; exit 1; }
