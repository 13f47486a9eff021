#!/usr/bin/env bash
# lockfile 0.12.2: a SQLiteLockFile is acquired by every process that asks: each one has a database of its own.
#
# What: the locks are rows of an SQLite database in a temporary file whose name is drawn by chance when a process makes its first SQLiteLockFile. No two processes have the same one, whatever the path of the lock.
# LinkLockFile and MkdirLockFile, with the same methods, exclude all others; so does this one within a process.
# Why it hurts: a test with two objects or threads in one process passes, and in production, where the others are processes, nothing is locked. acquire() raises nothing, is_locked() says True, i_am_locking() says True.
# Who should care: who chose it by its name for a lock among processes, or for file systems without hard links. MkdirLockFile does that.
# Source: lockfile/sqlitelockfile.py, SQLiteLockFile.__init__(): "Demonstrate SQL-based locking". The package is deprecated, and still shipped and installed. Needs python3.
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
fetch lockfile sid python3-lockfile=1:0.12.2-4

cat >"$work/run.py" <<'PY'
import subprocess, sys
from lockfile import LockFailed, LockTimeout, AlreadyLocked
from lockfile.linklockfile import LinkLockFile
from lockfile.mkdirlockfile import MkdirLockFile
from lockfile.sqlitelockfile import SQLiteLockFile

KINDS = {kind.__name__: kind for kind in (LinkLockFile, MkdirLockFile, SQLiteLockFile)}
folder, role, *rest = sys.argv[1:]


def tried(name):
    """What one is told that asks for a lock without waiting; the object is kept until the process ends."""
    lock = KINDS[name](f"{folder}/{name}")
    try:
        lock.acquire(timeout=0)
    except (AlreadyLocked, LockTimeout, LockFailed):
        return lock, "refused"
    return lock, "acquired" if lock.is_locked() and lock.i_am_locking() else "unclear"


if role == "another":
    print(tried(rest[0])[1])
    sys.exit()

seen = {}
for name in KINDS:
    lock, first = tried(name)
    another = subprocess.run([sys.executable, __file__, folder, "another", name], check=True, capture_output=True, text=True, timeout=20).stdout.strip()
    seen[name] = (first, another, lock.i_am_locking())
    lock.release()
print(f"Python {sys.version.split()[0]}")
print("expected: while a process holds a lock, another process is refused")
for name, (first, another, still) in seen.items():
    print(f"seen:     {name}: {first} by the first one, {another} by another process; the first one still says that it holds it: {still}")
held = ("acquired", "refused", True)
as_told = seen == {"LinkLockFile": held, "MkdirLockFile": held, "SQLiteLockFile": ("acquired", "acquired", True)}
if not as_told:
    print("CHANGED: another process is refused")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/lockfile/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work" first
