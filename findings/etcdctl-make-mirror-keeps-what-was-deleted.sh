#!/usr/bin/env bash
# etcd 3.5.16: etcdctl make-mirror that was away for a moment never deletes what was deleted meanwhile: the mirror keeps those keys for good.
#
# What: at its start it copies all keys that are there, and then follows the changes. A key that is in the destination and not in the source any more is not looked for, neither at a restart
# nor later: its deletion lies before the revision from which it follows. Nothing is said about it.
# Why it hurts: leases that ended, revoked rights, members that left and locks that were released stand in the mirror as if they held, and a failover to it brings them back. A put has no lease
# in the mirror either, so that nothing there ends by itself.
# Who should care: who keeps a second cluster by make-mirror, where a deployment or a lost connection ends the process. Begin each time with an empty prefix, or compare the keys.
# Source: etcdctl/ctlv3/command/make_mirror_command.go and client/v3/mirror (SyncBase reads the keys that are there, SyncUpdates follows from that revision on).
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
client=("${cmd[@]}")
# start NAME PORT: etcd of one member on loopback
start() {
  local peer
  peer=http://127.0.0.1:$(free_port)
  use etcd etcd
  "${cmd[@]}" --name one --data-dir "$work/$1" --listen-client-urls "http://127.0.0.1:$2" --advertise-client-urls "http://127.0.0.1:$2" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "one=$peer" >>"$work/log" 2>&1 &
  pids+=("$!")
  until_ok "${client[@]}" --endpoints "127.0.0.1:$2" endpoint health
}
source_port=$(free_port)
start source "$source_port"
mirror_port=$(free_port)
start mirror "$mirror_port"
source_ctl() { "${client[@]}" --endpoints "127.0.0.1:$source_port" "$@"; }
mirror_ctl() { "${client[@]}" --endpoints "127.0.0.1:$mirror_port" "$@"; }
mirrors() {
  "${client[@]}" --endpoints "127.0.0.1:$source_port" make-mirror "127.0.0.1:$mirror_port" >>"$work/log" 2>&1 &
  mirror=$!
  pids+=("$mirror")
}
keys() { "$1" get --prefix rights/ --keys-only | xargs; }
# sees KEY VALUE: whether the mirror has it
sees() { [[ $(mirror_ctl get --print-value-only "$1") == "$2" ]]; }
lacks() { [[ -z $(mirror_ctl get "$1") ]]; }

for who in ann bob cid; do source_ctl put "rights/$who" admin >/dev/null; done
mirrors
until_ok sees rights/cid admin
source_ctl put rights/last one >/dev/null
until_ok sees rights/last one
source_ctl del rights/cid >/dev/null
until_ok lacks rights/cid
while_running=$(keys mirror_ctl)
kill "$mirror"
wait "$mirror" || true
source_ctl del rights/bob >/dev/null
source_ctl put rights/ann reader >/dev/null
mirrors
until_ok sees rights/ann reader
# What comes later is followed.
source_ctl put rights/last two >/dev/null
until_ok sees rights/last two
sleep 2

echo 'expected: once make-mirror runs again and has caught up, the mirror has the keys of the source'
echo "seen:     deleted while it ran: rights/cid; the mirror had: $while_running"
echo "          deleted while it was away: rights/bob; the source has: $(keys source_ctl); the mirror has: $(keys mirror_ctl)"
[[ $while_running == 'rights/ann rights/bob rights/last' ]] || { echo 'CHANGED: what is deleted while it runs stays, too'; exit 1; }
[[ $(keys source_ctl) == 'rights/ann rights/last' && $(keys mirror_ctl) == 'rights/ann rights/bob rights/last' ]] || { echo 'CHANGED: the mirror is as the source'; exit 1; }
