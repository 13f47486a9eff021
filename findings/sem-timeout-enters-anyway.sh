#!/usr/bin/env bash
# GNU parallel 20240222: `sem --semaphore-timeout 2` does not give up after two seconds: it runs the command beside the one that holds the lock, and exits with 0.
#
# What: a positive number is how long to wait before the semaphore is taken as if it were free; a negative one, -2, is how long to wait before giving up. There is a warning on stderr, and nothing
# in the exit code; whoever asks with -j1 from then on is one of two.
# Why it hurts: `flock -w 2`, `timeout 2` and the time limits of other locks mean the other thing. The limit is added where a job began to last too long, so two backups or imports are at
# work at the same time just when it is busiest.
# Who should care: who has cron jobs or deployments under sem or parallel --semaphore. A negative number, or flock -w.
# Source: GNU parallel's manual, --semaphore-timeout. Needs perl.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  touch "$work/over"
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" || true; done
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

until_ok() {
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "gave up waiting for: $*" >&2
  exit 2
}

command -v perl >/dev/null || { echo 'needs perl' >&2; exit 2; }
fetch parallel sid parallel=20240222+ds-4
export HOME=$work PARALLEL_HOME=$work/home
mkdir -p "$work/home"
touch "$work/home/will-cite"
sem() { "$work/parallel/usr/bin/sem" --id backup -j1 --fg "$@"; }

# The first one is at work until it is told to end.
sem "touch '$work/in'; for wait in \$(seq 300); do [ -e '$work/over' ] && break; sleep 0.1; done; touch '$work/done'" >"$work/first" 2>&1 &
pids+=("$!")
until_ok test -e "$work/in"
# ask LIMIT: what somebody else sees who waits no longer than that
ask() {
  local code=0 said
  said=$(sem --semaphore-timeout "$1" "if [ -e '$work/done' ]; then echo in, alone; else echo in, beside the first; fi" 2>"$work/warning") || code=$?
  echo "${said:-not in}, exit code $code"
}
two=$(ask 2)
warning=$(tail -n 1 "$work/warning")
minus=$(ask -2)
touch "$work/over"
until_ok test -e "$work/done"

echo "version: $("$work/parallel/usr/bin/sem" --version | head -n 1)"
echo 'expected: who waits two seconds for a lock that is held for longer does not get in, and is told so'
echo "seen:     --semaphore-timeout 2:  $two (\"$warning\")"
echo "          --semaphore-timeout -2: $minus"
[[ $two == 'in, beside the first, exit code 0' && $minus == 'not in, exit code '[1-9]* ]] || { echo 'CHANGED: the time limit gives up, or the negative one does not'; exit 1; }
