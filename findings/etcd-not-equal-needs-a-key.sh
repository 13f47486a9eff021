#!/usr/bin/env bash
# etcd 3.5.16: in a transaction `value(key) != "x"` is false where the key does not exist, so "write unless it is x" never writes the first time.
#
# What: a comparison of the value (alone; not of version, create or mod revision) with a key that is not there is false, whatever the operator. Both = and != are false,
# so the Then of neither runs, and "not equal" is not the opposite of "equal".
# Why it hurts: a guard such as "unless the state is locked" or "unless this owner has it" refuses on a fresh store, or after the key's lease ended, for ever; and a lock
# or a ballot check that was turned round (Else instead of Then) lets through what it should not.
# Who should care: who builds compare-and-set on etcd. Compare version(key) = 0 for absence, and put the positive comparison into If, the rest into Else.
# Source: etcd-io/etcd issues 19678 and 10566 (open, or closed as it is); server/etcdserver/txn/txn.go (applyCompare). The same in 3.5.30.
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

fetch etcd trixie etcd-server=3.5.16-4 etcd-client=3.5.16-4 libc6
use etcd etcdctl
port=$(free_port)
client=("${cmd[@]}" --endpoints "127.0.0.1:$port")
ctl() { "${client[@]}" "$@"; }

# start: etcd of one member on loopback, over $work/data
start() {
  local peer
  peer=http://127.0.0.1:$(free_port)
  use etcd etcd
  "${cmd[@]}" --name one --data-dir "$work/data" --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "one=$peer" >>"$work/log" 2>&1 &
  pids+=("$!")
  until_ok ctl endpoint health
}
start

# holds COMPARISON: whether a transaction with it goes the way of Then
holds() { printf '%s\n' "$1" '' '' '' | ctl txn | head -n 1; }
absent_differs=$(holds 'value("key") != "x"')
absent_equals=$(holds 'value("key") = "x"')
absent_mod=$(holds 'mod("key") != "7"')
ctl put key y >/dev/null
present_differs=$(holds 'value("key") != "x"')

echo 'expected: an absent key differs from x, as mod("key") != 7 does: SUCCESS; only = fails'
echo "seen:     absent: value != x: $absent_differs, value = x: $absent_equals, mod != 7: $absent_mod; present with y: value != x: $present_differs"
[[ $absent_equals == FAILURE && $absent_mod == SUCCESS && $present_differs == SUCCESS ]] || { echo 'CHANGED: other comparisons answer otherwise'; exit 1; }
[[ $absent_differs == FAILURE ]] || { echo 'CHANGED: an absent key differs from x'; exit 1; }
