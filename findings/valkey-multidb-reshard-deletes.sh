#!/usr/bin/env bash
# Valkey 9.1.2 with cluster-databases 4: a slot moved by a tool that knows database 0 only loses the keys of database 1; they are deleted on the source.
#
# What: in a cluster with several databases COUNTKEYSINSLOT, GETKEYSINSLOT and MIGRATE work on the selected one. redis-cli of Debian 12 moves database 0 and gives the
# slot to the target. The source hears of it and deletes what is left in its "dirty" slot. Who is faster decides what the tool says: success, or "I still hold
# keys" with exit code 1, which reads like a safe stop; the keys are gone either way.
# Why it hurts: a reshard, a rebalance or a new node silently loses every database but the first; before 9 the leftover of a slot was a refusal, or another try.
# Who should care: who turns on cluster-databases and still has tools of before, or redis-cli beside Valkey. valkey-cli 9.1 does all databases; CLUSTER MIGRATESLOTS, too.
# Source: valkey-io/valkey pull request 1671 (it says that all databases must be gone through), 1285 (dirty slots); src/cluster_legacy.c.
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

fetch redis bookworm redis-tools=5:7.0.15-1~deb12u7 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 libsystemd0 libcap2 libssl3 libzstd1 \
  zlib1g liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 libgcrypt20 libgpg-error0 liblzma5 liblz4-1
fetch valkey sid valkey-server=9.1.2-1 valkey-tools=9.1.2-1 libc6 libatomic1 liblzf1 libjemalloc2 libstdc++6 libgcc-s1 libsystemd0 libcap2 libssl3t64 \
  libzstd1 zlib1g
use valkey valkey-cli
client=("${cmd[@]}")

port1=$(free_port)
port2=$(free_port)
bus1=$(free_port)
bus2=$(free_port)
options=(--cluster-enabled yes --cluster-databases 4 --appendonly no)
start valkey valkey-server "$port1" "$work/one" "${options[@]}" --cluster-port "$bus1"
start valkey valkey-server "$port2" "$work/two" "${options[@]}" --cluster-port "$bus2"
whole() { [[ $(cli "$1" cluster info) == *cluster_state:ok* && $(cli "$1" cluster nodes | wc -l) == 2 ]]; }
in_all() { echo "$(cli "$port1" -n "$1" dbsize) and $(cli "$port2" -n "$1" dbsize)"; }
cli "$port1" cluster addslotsrange 0 16383 >/dev/null
cli "$port1" cluster meet 127.0.0.1 "$port2" "$bus2" >/dev/null
until_ok whole "$port1"
until_ok whole "$port2"
for i in 1 2 3; do # {06S} is slot 0
  cli "$port1" -n 0 set "{06S}:$i" value >/dev/null
  cli "$port1" -n 1 set "{06S}:$i" value >/dev/null
done
use redis redis-cli
moved=0
timeout 20 "${cmd[@]}" --cluster reshard "127.0.0.1:$port1" --cluster-from "$(cli "$port1" cluster myid)" --cluster-to "$(cli "$port2" cluster myid)" \
  --cluster-slots 1 --cluster-yes >"$work/reshard" 2>&1 || moved=$?
sleep 3
error=$(grep -a -o "ERR .*" "$work/reshard" | head -n 1 || true)

echo 'expected: all six keys are on the target; or an error, and those of database 1 are still on the source'
echo "seen:     redis-cli 7.0.15 --cluster reshard: exit code $moved, \"${error}\""
echo "          source and target: database 0 $(in_all 0) keys, database 1 $(in_all 1) keys"
[[ $(in_all 0) == '0 and 3' && $(in_all 1) == '0 and 0' ]] || { echo 'CHANGED: the keys of database 1 are still there'; exit 1; }
