#!/usr/bin/env bash
# beanstalkd 1.13 with a journal: after a second restart job ids start from 1 again, and a late worker's `delete` removes another job that nobody has had.
#
# What: the next id is the highest one in the journal and one more. A journal file without a living job is removed at the start, and with it what was known of the ids: the first restart of
# an empty queue still reads the last file, the second one reads nothing. `delete` takes the id of any job that is not reserved, by whomever it was put.
# Why it hurts: a worker that is late (its time was over, another one did the job) comes back after the restarts and deletes what it takes for its own job: DELETED, not NOT_FOUND. The new
# job was acknowledged, is in the journal, and is never done. Also who keeps ids, to look after a job by `stats-job` or to do each one once, mixes up two jobs.
# Who should care: who runs beanstalkd with -b so that nothing is lost, in queues that are empty now and then. One restart, which is what gets tried, shows nothing.
# Source: beanstalkd, doc/protocol.txt (an id is unique "in this instance of beanstalkd") and go-beanstalk issue 12 (among those of one process); file.c and walg.c (the files read at the start), job.c (next_id).
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

# ask WANTED LINE...: sends lines to the server at descriptor 3; the answer's first line is in answer. With "body" one more line is read after it.
ask() {
  local wanted=$1
  shift
  printf '%s\r\n' "$@" >&3
  IFS=$'\r' read -r -t 10 -u 3 answer || { echo "no answer to: $*" >&2; exit 2; }
  if [ "$wanted" = body ]; then read -r -t 10 -u 3; fi
}

# serve: starts a server over the journal, and connects descriptor 3 to it; its process is pid.
serve() {
  local port
  port=$(free_port)
  "${cmd[@]}" -l 127.0.0.1 -p "$port" -b "$work/journal" -f 0 >>"$work/log" 2>&1 &
  pid=$!
  pids+=("$pid")
  until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"
  exec 3<>"/dev/tcp/127.0.0.1/$port"
}

restart() {
  kill "$pid"
  { wait "$pid" || true; } 2>/dev/null
  serve
}

# late RESTARTS: a job of a worker that is late is done and deleted by another one; after the restarts a new job is put, and the late worker deletes its own one.
late() {
  rm -rf "$work/journal"
  mkdir "$work/journal"
  serve
  ask line 'put 0 0 60 3' old
  old=${answer#INSERTED }
  ask body reserve
  [ "$answer" = "RESERVED $old 3" ] || { echo "not reserved: $answer" >&2; exit 2; }
  ask line "delete $old"
  for _ in $(seq "$1"); do restart; done
  ask line 'put 0 0 60 3' new
  new=${answer#INSERTED }
  ask line "delete $old"
  deleted=$answer
  ask line "stats-job $new"
  case $answer in
    OK*) left='is there' ;;
    *) left='is gone' ;;
  esac
  kill "$pid"
  { wait "$pid" || true; } 2>/dev/null
  echo "          after $1 restart(s): job $old was done, the new one is $new; the late delete $old: $deleted; the new job $left"
}

fetch beanstalkd sid beanstalkd=1.13-1 libc6 libsystemd0 libcap2
use beanstalkd usr/bin/beanstalkd

echo 'expected: with a journal no id is given twice: the late delete is NOT_FOUND, and the new job is there'
echo 'seen:'
late 1
once="$deleted, $left"
late 2
twice="$deleted, $left"
[ "$once; $twice" = 'NOT_FOUND, is there; DELETED, is gone' ] || { echo 'CHANGED: the ids are as expected, or otherwise'; exit 1; }
