#!/usr/bin/env bash
# etcd 3.5.16: `etcdctl lock NAME COMMAND` does not end its command when the lock is lost, and exits with 0 all the same.
#
# What: etcdctl keeps its lease alive beside the command, and waits for the command only. If it is held up for longer than the lease (a paused machine, a cut network), the next
# waiter gets the lock; the first command goes on, nobody tells it, and the exit code is that of the command.
# Why it hurts: two holders at once, with an exit code that says that all went well: a backup, a migration or a leader in a shell script runs twice.
# Who should care: who wraps cron jobs or single-leader daemons in etcdctl lock. The command finds the lock in ETCD_LOCK_KEY and ETCD_LOCK_REV: write through a transaction
# that compares its create revision, as a fencing token; a lock alone does not fence.
# Source: etcdctl/ctlv3/command/lock_command.go. Here etcdctl is stopped for as long as the second one needs, in place of a paused machine. The same in 3.5.30.
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

use etcd etcdctl
"${client[@]}" lock --ttl=2 job -- sh -c "echo in; sleep 12; echo 'still in'" >"$work/first" 2>&1 &
holder=$!
pids+=("$holder")
until_ok grep -q in "$work/first"
kill -STOP "$holder"
timeout 10 "${client[@]}" lock --ttl=2 job -- sh -c "echo in; cat '$work/first'" >"$work/second" 2>&1 || true
kill -CONT "$holder"
code=0
wait "$holder" || code=$?
during=$(grep -c '^still in' "$work/second" || true)

echo 'expected: when the lock went to another, the command of the first is ended, or its etcdctl exits with an error'
echo "seen:     the second was in: $(grep -q '^in' "$work/second" && echo yes || echo no), the first had ended by then: $([[ $during == 0 ]] && echo no || echo yes);"
echo "          the first went on to \"$(tail -n 1 "$work/first")\" and its etcdctl exited with $code"
grep -q '^in' "$work/second" || { echo 'CHANGED: the second one does not get the lock'; exit 1; }
[[ $during == 0 && $(tail -n 1 "$work/first") == 'still in' && $code == 0 ]] || { echo 'CHANGED: the first one is ended, or told'; exit 1; }
