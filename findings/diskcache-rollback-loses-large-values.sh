#!/usr/bin/env bash
# diskcache 5.6.3: a transaction that is rolled back loses the value that it would have replaced or removed, where it is larger than 32 KiB.
#
# What: values of that size are files beside the database. set(), pop() and delete in a transaction delete the old file at once; the rollback brings back the row that
# names it, and nothing brings back the file. get() then says what it says of a key that was never set, while the key is in the cache, counted and listed.
# Why it hurts: "with cache.transact(): ... raise" is there to leave all as it was, and small values are left so. A state that grew beyond the limit is gone with the first
# exception, and the new file stays behind as well. check() tells both; check(fix=True) removes the row, too.
# Who should care: who keeps in a Cache or an Index what cannot be computed again. A large disk_min_file_size keeps values in the database, where they are rolled back.
# Source: the package's core.py (Cache.set, pop and __delitem__ hand the old file to _transact, which removes it when the inner block ends); its tutorial on transactions.
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
fetch diskcache trixie python3-diskcache=5.6.3-1

cat >"$work/run.py" <<'PY'
"""FOLDER: what a cache has after transactions that were rolled back."""
import sys
import diskcache

print(f"diskcache {diskcache.__version__}, Python {sys.version.split()[0]}")


class No(Exception):
    pass


def after(size, change):
    """The value of that size after a transaction that makes the change and fails; whether the key is there, and what check() has to say."""
    cache = diskcache.Cache(f"{sys.argv[1]}/{size}-{change.__name__}")
    cache["state"] = b"old" * (size // 3)
    try:
        with cache.transact():
            change(cache, size)
            raise No
    except No:
        pass
    value = cache.get("state")
    faults = len(cache.check())
    seen = "gone" if value is None else f"{value[:3].decode()}, {len(value)} bytes"
    return seen, "state" in cache, len(cache), faults


def replace(cache, size):
    cache["state"] = b"new" * (size // 3)


def remove(cache, _):
    cache.pop("state")


print("expected: the old value, as before the transaction")
results = {}
for size in (30_000, 60_000):
    for change in (replace, remove):
        seen, there, length, faults = results[size, change.__name__] = after(size, change)
        print(f"seen:     {change.__name__} {size} bytes, rolled back: {seen}; key in cache: {there}, keys: {length}, faults: {faults}")
small = [results[30_000, name] for name in ("replace", "remove")]
large = [results[60_000, name] for name in ("replace", "remove")]
holds = all(seen == "old, 30000 bytes" for seen, *_ in small) and all(seen == "gone" and there for seen, there, *_ in large)
if not holds:
    print("CHANGED: a rollback keeps large values")
sys.exit(0 if holds else 1)
PY

code=0
PYTHONPATH=$work/diskcache/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work/caches" || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 2; }
[ "$code" -eq 0 ] || exit "$code"
