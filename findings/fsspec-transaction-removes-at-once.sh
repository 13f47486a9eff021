#!/usr/bin/env bash
# fsspec 2026.9.0: in a transaction only files that are opened with "wb" wait: rm(), mv() and append are made at once, and stay where the transaction fails; and what another thread wrote meanwhile through the same file system is thrown away with it.
#
# What: `with fs.transaction:` holds back the new files and renames them at its end. To remove, to move, to append (memory) or to write into a file ("r+b", local) is not held back, and not refused. The transaction is a state of the
# file system object, so that a write of another thread, which was closed without an error, becomes a part of it: seen by nobody until the end, and gone where the end is an exception.
# Why it hurts: the usual transaction replaces a file by another one: write the new, remove the old. Where it fails after that both are gone. And a thread of a server loses what it had been told is written.
# Who should care: who takes the block for all or nothing. Remove after it; and give each thread a file system of its own: fsspec.filesystem() makes one for each thread, an object in a module is shared.
# Source: fsspec/transaction.py, fsspec/spec.py (open() and pipe_file() look at _intrans, rm() and mv() do not); the documentation speaks of files that are created within the context. Needs python3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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
fetch fsspec sid python3-fsspec=2026.9.0-1

cat >"$work/run.py" <<'PY'
import os, sys, tempfile, threading
import fsspec


class Failed(Exception):
    pass


def write(fs, path, mode="wb", data=b"new"):
    with fs.open(path, mode) as file:
        file.write(data)


def attempt(fs, folder, step):
    """What is there after a transaction that fails behind `step`."""
    fs.makedirs(folder, exist_ok=True)
    for path in fs.ls(folder, detail=False):
        fs.rm(path)
    write(fs, f"{folder}/orders-1", data=b"old")
    try:
        with fs.transaction:
            step(folder)
            raise Failed
    except Failed:
        pass
    names = sorted(fs.ls(folder, detail=False))
    return ", ".join(f"{os.path.basename(name)}: {fs.cat(name).decode()}" for name in names) or "nothing"


def steps(fs):
    def replace(folder):
        write(fs, f"{folder}/orders-2", data=fs.cat(f"{folder}/orders-1"))
        fs.rm(f"{folder}/orders-1")

    def beside(folder):
        thread = threading.Thread(target=write, args=(fs, f"{folder}/of-another-thread"))
        thread.start()
        thread.join()

    return {
        "orders-1 written anew": lambda folder: write(fs, f"{folder}/orders-1"),
        "orders-2 written, orders-1 removed": replace,
        "orders-1 moved to orders-0": lambda folder: fs.mv(f"{folder}/orders-1", f"{folder}/orders-0"),
        "another thread wrote beside it": beside,
    }


work = tempfile.mkdtemp(dir=sys.argv[1])
local, memory = fsspec.filesystem("file"), fsspec.filesystem("memory")
seen = {}
for name, fs, folder in (("local", local, work), ("memory", memory, "/orders")):
    for what, step in steps(fs).items():
        seen[f"{name}, {what}"] = attempt(fs, folder, step)
seen["memory, orders-1 appended to"] = attempt(memory, "/orders", lambda folder: write(memory, f"{folder}/orders-1", "ab", b", added"))
seen["local, orders-1 opened with r+b"] = attempt(local, work, lambda folder: write(local, f"{folder}/orders-1", "r+b", b"NEW"))

print(f"fsspec {fsspec.__version__}, Python {sys.version.split()[0]}")
print('expected: a transaction that fails leaves "orders-1: old", and what another thread wrote')
for number, (what, result) in enumerate(seen.items()):
    print(f"{'seen:     ' if number == 0 else '          '}{what}: {result}")
each = ["orders-1: old", "nothing", "orders-0: old", "orders-1: old"]
told = list(seen.values()) == [*each, *each, "orders-1: old, added", "orders-1: NEW"]
if not told:
    print("CHANGED: what is removed, moved or appended waits for the end, or the transaction is that of a thread")
sys.exit(0 if told else 1)
PY
code=0
PYTHONPATH=$work/fsspec/usr/lib/python3/dist-packages timeout 30 python3 "$work/run.py" "$work" || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
