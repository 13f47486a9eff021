#!/usr/bin/env bash
# Redis 7.0.15 to 8.0.2: a Lua number that is no integer reaches redis.call as another text, so the same script does not find the field it wrote before the upgrade.
#
# What: 7.0 turns 0.1 into 0.10000000000000001 (17 digits), 7.2 and later into 0.1 (the shortest text that reads back the same). 1e17 was "1e+17", now it has 18 digits.
# Why it hurts: fields, members, key names and compared values that a script makes from numbers: HGET misses after the upgrade, SADD adds a second member. And acceptors of
# different versions store different texts for the same ballot or value, which a comparison of texts takes for a conflict.
# Who should care: who passes numbers to redis.call, and who runs a script on more than one version (a rolling upgrade). Pass text: string.format('%.17g', x).
# Source: src/script_lua.c (luaArgsToRedisArgv, fpconv_dtoa since 7.2); redis/redis pull requests 10587 and 13115. As 8.0.2: Redis 8.6.3, Valkey 8.0.1 to 9.1.2, Redict 7.3.6.
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

port=$(free_port)
options=(--appendonly yes --appendfsync always)
script="local before = redis.call('HGET', KEYS[1], tonumber(ARGV[1])) redis.call('HSET', KEYS[1], tonumber(ARGV[1]), 'set') return before or 'nothing'"
start old redis-server "$port" "$work/data" "${options[@]}"
cli "$port" eval "$script" 1 prices 0.1 >/dev/null
old_again=$(cli "$port" eval "$script" 1 prices 0.1)
stop "$pid"
start new redis-server "$port" "$work/data" "${options[@]}"
new_again=$(cli "$port" eval "$script" 1 prices 0.1)
fields=$(cli "$port" hkeys prices | paste -s -d' ')

echo 'expected: the same script with the same argument on the same data finds its field, before and after the upgrade'
echo "seen:     on 7.0.15: $old_again; on 8.0.2: $new_again; the fields now: $fields"
[[ $old_again == set && $new_again == nothing && $fields == '0.10000000000000001 0.1' ]] || { echo 'CHANGED: the field is found'; exit 1; }
