#!/usr/bin/env bash
# portalocker 3.2.0: a process that was refused a TemporaryFileLock removes the lock file when it ends: the next one gets the lock beside its holder.
#
# What: a TemporaryFileLock has its release() run when the process ends, whether it was acquired or not, and release() unlinks the path, whoever holds the lock on it. The holder's lock is on a file that
# has no name any more; the next one makes a new file and locks that. Lock, which leaves its file where it is, is not affected.
# Why it hurts: two processes are in the section that one at a time was to be in, and it takes one more that did the right thing: it was told AlreadyLocked, and ended. A cron job that starts every minute and
# runs for three is enough: the second one is refused, the third one runs beside the first.
# Who should care: who uses portalocker's TemporaryFileLock, for a pid file or a single instance. Use Lock.
# Source: portalocker/utils.py, TemporaryFileLock (atexit.register(self.release) in __init__). Needs python3.
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
fetch portalocker sid python3-portalocker=3.2.0-1

cat >"$work/run.py" <<'PY'
import subprocess, sys
import portalocker

ANOTHER = """
import portalocker, sys
lock = getattr(portalocker, sys.argv[1])(sys.argv[2], timeout=0.1)
try:
    lock.acquire()
    print("acquired")
except portalocker.LockException as error:
    print(type(error).__name__)
"""


def others(kind):
    """What two processes are told, one after the other, that ask for a lock which this one holds all the time."""
    path = f"{sys.argv[1]}/{kind}"
    lock = getattr(portalocker, kind)(path)
    lock.acquire()
    told = [subprocess.run([sys.executable, "-c", ANOTHER, kind, path], check=True, capture_output=True, text=True, timeout=20).stdout.strip() for _ in range(2)]
    lock.release()
    return told


plain, temporary = others("Lock"), others("TemporaryFileLock")
print("expected: while a process holds a lock, all others are refused")
print(f"seen:     of a Lock: {plain}; of a TemporaryFileLock: {temporary}")
as_told = plain == ["AlreadyLocked"] * 2 and temporary == ["AlreadyLocked", "acquired"]
if not as_told:
    print("CHANGED: who was refused leaves the lock file alone")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/portalocker/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work"
