#!/usr/bin/env bash
# etcd 3.5.16: a watch with prev_kv that starts at a revision that is still there gets updates without their previous value, and no error, once the one before was compacted.
#
# What: the watch is accepted, as its start is not compacted; the previous value is looked up one revision earlier, which is. That error is dropped, the event comes without
# prev_kv, and looks like a creation to who goes by that field - for a deletion, like that of a key that never was. create_revision tells them apart.
# Why it hurts: a consumer that resumes after an outage (just below the compaction) keeps its books by old and new value: the old one is silently missing, once, for the first event.
# Who should care: who derives differences, indexes or audits from a watch. Treat "no previous value and version above 1" as a gap, and read everything again.
# Source: etcd-io/etcd issues 10681 (open) and 13131; server/etcdserver/api/v3rpc/watch.go; kubernetes/kubernetes pull request 76675. The same in 3.5.30.
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

ctl put key old >/dev/null
ctl put key new >/dev/null
revision=$(ctl get key -w json | grep -o '"mod_revision":[0-9]*' | grep -o '[0-9]*$')
watch_once() { # the first message of a watch from that revision
  timeout 5 "${client[@]}" watch key --rev="$revision" --prev-kv -w json 2>&1 | head -n 1 || true
}
before=$(watch_once)
ctl compact "$revision" >/dev/null
after=$(watch_once)
has() { if [[ $1 == *'"prev_kv"'* ]]; then echo 'with its previous value'; else echo 'without'; fi; }
version=$(grep -o '"version":[0-9]*' <<<"$after" | head -n 1)

echo 'expected: after the compaction the event comes with its previous value, or the watch is refused as compacted'
echo "seen:     before the compaction: $(has "$before"); after it: $(has "$after"), $version, ${after##*\"CompactRevision\"}"
[[ $before == *'"prev_kv"'* ]] || { echo 'CHANGED: no previous value before the compaction either'; exit 1; }
[[ $version == '"version":2' && $after != *'"prev_kv"'* && $after == *'"Canceled":false'* ]] || { echo 'CHANGED: the value is there, or the watch is refused'; exit 1; }
