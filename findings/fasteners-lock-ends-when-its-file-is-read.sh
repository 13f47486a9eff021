#!/usr/bin/env bash
# fasteners 0.20: a process that holds an InterProcessLock loses it, and is not told, when it reads the lock file, or when another lock of it on the same path is released.
#
# What: on Linux the lock is one of POSIX (fcntl), which belongs to a process and a file, not to an object: a second InterProcessLock of the same
# process on the same path is acquired while the first one is held, and whichever descriptor of the file the process closes takes the lock away
# from all of them. `acquired` of the first one stays true.
# Why it hurts: two processes are in the section that one at a time was to be in. It takes one line of logging that opens the lock file, or two parts of a
# program (a library and its user, two threads) that lock the same path.
# Who should care: cron jobs, caches and installers that lock by fasteners; locks of flock(2), as filelock takes, are not lost that way.
# Source: fcntl(2), "record locks ... are released when any file descriptor for the file is closed"; fasteners/process_mechanism.py. Needs python3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

command -v python3 >/dev/null || { echo 'needs python3' >&2; exit 2; }
fetch fasteners sid python3-fasteners=0.20-3

cat >"$work/run.py" <<'PY'
import subprocess, sys
from fasteners import InterProcessLock

folder = sys.argv[1]
OTHER = "import sys; from fasteners import InterProcessLock; print(InterProcessLock(sys.argv[1]).acquire(blocking=False))"


def another_process_gets(path):
    return subprocess.run([sys.executable, "-c", OTHER, path], check=True, capture_output=True, text=True).stdout.strip() == "True"


def held(name):
    lock = InterProcessLock(f"{folder}/{name}")
    assert lock.acquire(blocking=False)
    return lock


lock = held("alone")
alone = another_process_gets(lock.path)

lock = held("read")
with open(lock.path) as file:
    file.read()
read = another_process_gets(lock.path)
still = lock.acquired

first = held("twice")
second = InterProcessLock(first.path)
both = second.acquire(blocking=False)
second.release()
released = another_process_gets(first.path)

print("expected: while a process holds the lock, no other one gets it, and a second lock of its own on the path is not acquired")
print(f"seen:     another process gets it: {alone}; once the holder has read the file: {read}, while its lock says acquired: {still}")
print(f"          a second lock of the holder is acquired: {both}; once that is released, another process gets it: {released}")
as_told = not alone and read and still and both and released
if not as_told:
    print("CHANGED: the lock is kept")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/fasteners/usr/lib/python3/dist-packages python3 "$work/run.py" "$work"
