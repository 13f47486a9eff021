#!/usr/bin/env bash
# cachelib 0.17.0: in a FileSystemCache add() refuses a key for good once it was there, however long ago it expired; get() and has() say that it is absent.
#
# What: add() looks whether there is a file, and not whether its time is over. Expired files are removed when the cache holds more than its threshold, 500 by default, and not before. SimpleCache,
# which keeps its values in memory, takes the key again.
# Why it hurts: add() with a timeout is how a lock, a lease, or a "once an hour" is made of a cache. The first holder that does not delete its key, since it was ended or since it counts on the timeout,
# is the last one: all later ones are told that the lock is held, while nobody has it. Restarts do not help, the files stay.
# Who should care: who uses cachelib or Flask-Caching with files, and add(). Look with has() first, and delete; or use Redis.
# Source: cachelib/file.py, FileSystemCache.add(). Its documentation: "Works like set() but does not overwrite the values of already existing keys", False for those. Needs python3.
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
fetch cachelib sid python3-cachelib=0.17.0-1

cat >"$work/run.py" <<'PY'
import sys, time
from cachelib import FileSystemCache, SimpleCache

caches = {"in memory": SimpleCache(), "in files": FileSystemCache(sys.argv[1])}
seen = {}
for name, cache in caches.items():
    seen[name] = [cache.add("lock", "the first", timeout=1), cache.add("lock", "another", timeout=1)]
time.sleep(3)
for name, cache in caches.items():
    seen[name] += [cache.has("lock"), cache.get("lock"), cache.add("lock", "the next", timeout=1), cache.get("lock")]
# Files that a process left behind are those of the next one.
again = FileSystemCache(sys.argv[1])
seen["in files, opened anew"] = [again.has("lock"), again.get("lock"), again.add("lock", "the next", timeout=1)]

print("expected: a key that was added for a second is taken by the first one, refused to another, and after three seconds absent, and taken by the next one")
for name, values in seen.items():
    print(f"seen:     {name}: {values}")
as_told = (
    seen["in memory"] == [True, False, False, None, True, "the next"]
    and seen["in files"] == [True, False, False, None, False, None]
    and seen["in files, opened anew"] == [False, None, False]
)
if not as_told:
    print("CHANGED: what has expired can be added again")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/cachelib/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work/files"
