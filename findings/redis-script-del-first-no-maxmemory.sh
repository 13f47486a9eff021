#!/usr/bin/env bash
# Redis 8.0.2 with maxmemory and noeviction: a script that begins with DEL of a key that is not there may write as much as it likes.
#
# What: the limit is looked at for the first write command of a script only, as a script must not be stopped halfway. DEL, HDEL, EXPIRE and the like pass it, and any
# write command counts as the first, whether or not it changed something. What follows passes unseen: here 10 MB over a limit of 1 MB.
# Why it hurts: maxmemory is no bound for scripts: the same statements refuse (HSET first) or pass (DEL first), by their order. A store that means to refuse writes
# before the machine swaps or kills it does not, and a script "tidies up, then writes" never hears OOM at all.
# Who should care: who hosts Lua scripts on a store with noeviction. A first line `#!lua` (flags) has it looked at before the script starts.
# Source: redis/redis issue 8478; src/script.c (scriptVerifyOOM); an option against it: valkey-io/valkey pull request 4268 (open). The same on Redis 6.0.16, 7.0.15,
# 8.6.3, Valkey 8.0.1, 8.1.1, 9.1.2, Redict 7.3.6.
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
used() { cli "$port" info memory | awk -F: '$1 == "used_memory" { print $2 + 0 }'; }
limit=$(($(used) - 1000))
cli "$port" config set maxmemory-policy noeviction >/dev/null
cli "$port" config set maxmemory "$limit" >/dev/null
write="for i = 1, 1000 do redis.call('HSET', KEYS[1], i, string.rep('x', 10000)) end return redis.call('HLEN', KEYS[1])"
plain=$(cli "$port" eval "$write" 2 hash absent 2>&1 | head -n 1)
declared=$(cli "$port" eval $'#!lua\n'"redis.call('DEL', KEYS[2]) $write" 2 hash absent 2>&1 | head -n 1)
deleting=$(cli "$port" eval "redis.call('DEL', KEYS[2]) $write" 2 hash absent 2>&1 | head -n 1)
after=$(used)

echo 'expected: OOM for all of them: the server is over its limit, and DEL of a key that is not there frees nothing'
echo "seen:     writing: ${plain:0:3}; DEL first: $deleting fields written, $after bytes used of $limit; DEL first under #!lua: ${declared:0:3}"
[[ $plain == OOM* && $declared == OOM* ]] || { echo 'CHANGED: the server does not refuse at all'; exit 1; }
((after > limit + 5000000)) || { echo 'CHANGED: DEL first is refused, too'; exit 1; }
