#!/usr/bin/env bash
# memcached 1.6.45: a `cas` with the number of a value that is gone overwrites another one, after a restart and on another server, if as many writes came before.
#
# What: the "unique" number of a value counts the writes of one process, and begins anew at each start. A server that is filled in the same order hands out the same numbers for
# the same keys, and what a client read before the restart, or from the server that was lost, is taken for a look at the value that stands there now. No server says which one it is.
# Why it hurts: nothing is missing that would warn the client, as it would be if the server came up empty (NOT_FOUND): it is told STORED, and the newer value is lost. It takes the
# same number of writes before: programs that fill the cache at their start, from the same list, have it so.
# Who should care: who has counters, stocks or leases under `cas` in memcached, and clients that go to another server when one is down. etcd and Consul number on over restarts.
# Source: doc/protocol.txt of memcached ("a unique 64-bit value of an existing entry"); items.c, get_cas_id.
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
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/$2")
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

# ask WANTED LINE...: sends lines to the server at descriptor 3; the answer's first line, or the number of the value, is in answer.
ask() {
  local wanted=$1 line
  shift
  printf '%s\r\n' "$@" >&3
  IFS=$' \r' read -r -t 10 -u 3 -a line || { echo "no answer to: $*" >&2; exit 2; }
  answer=${line[0]}
  if [ "$wanted" = value ]; then
    [ "${line[0]}" = VALUE ] || { echo "no value: ${line[*]}" >&2; exit 2; }
    number=${line[4]}
    IFS=$'\r' read -r -t 10 -u 3 answer
    IFS= read -r -t 10 -u 3
  fi
}

# serve: starts an empty server, connects descriptor 3 to it and fills it with what the books say: pens, ink and paper, in this order; ink as given.
serve() {
  local port
  port=$(free_port)
  "${cmd[@]}" -u nobody -l 127.0.0.1 -p "$port" -U 0 -m 16 >>"$work/log" 2>&1 &
  pids+=("$!")
  until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  local key
  for key in pens ink paper; do
    local stock=5
    [ "$key" != ink ] || stock=$1
    ask line "set $key 0 0 ${#stock}" "$stock"
  done
}

fetch memcached sid memcached=1.6.45-1 libc6 libevent-2.1-7t64 liblua5.4-0 libsasl2-2 libssl3t64 libzstd1 zlib1g
use memcached usr/bin/memcached

serve 9
ask value 'gets ink'
read_number=$number read_stock=$answer
# The control: overwritten on the same server, the number that was read is refused.
ask line 'set ink 0 0 1' 4
ask line "cas ink 0 0 1 $read_number" 8
same=$answer
{ kill -9 "${pids[0]}"; wait "${pids[0]}" || true; } 2>/dev/null

serve 4
ask line "cas ink 0 0 1 $read_number" 8
again=$answer
ask value 'gets ink'
left=$answer

# And where one more write came before, it is refused as it should be.
serve 4
ask line 'set pens 0 0 1' 5
ask line 'set ink 0 0 1' 4
ask line "cas ink 0 0 1 $read_number" 8
later=$answer

echo "expected: ink $read_stock was read with the number $read_number; since then it became 4: a cas with $read_number is refused (EXISTS), whatever happened to the server in between"
echo "seen:     on the same server $same; on one that was started and filled again $again, ink is $left (4 is lost); with two more writes before it $later"
[ "$same $again $left $later" = 'EXISTS STORED 8 EXISTS' ] || { echo 'CHANGED: a number is not given twice'; exit 1; }
