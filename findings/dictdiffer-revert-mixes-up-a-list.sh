#!/usr/bin/env bash
# dictdiffer 0.10.0: where three or more elements were taken from the end of a list, revert() puts them back in another order, without an error.
#
# What: diff() notes the removals from the last place to the first, which patch() needs. revert() turns each removal into an insertion and carries
# them out in the same order: the last element is inserted first, at a place that the shorter list does not have yet, and so at its end.
# Why it hurts: an earlier revision that is made from the present one and its differences is not what it was, and nothing says so: steps of a
# recipe, priorities, coordinates change places. With one or two elements it is right, which is what one tries.
# Who should care: histories, undo and audits of JSON records by dictdiffer.
# Source: dictdiffer/__init__.py, diff() and revert(). Needs python3.
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
fetch dictdiffer sid python3-dictdiffer=0.10.0-1

cat >"$work/run.py" <<'PY'
import sys
from dictdiffer import diff, patch, revert


def reverted(before, after):
    changes = list(diff(before, after))
    assert patch(changes, before) == after
    return revert(changes, after)


whole = ["mix", "knead", "rest", "bake", "cool"]
found = {count: reverted({"steps": whole}, {"steps": whole[: len(whole) - count]})["steps"] for count in range(1, 5)}
print("expected: what is reverted is what it was before, however many elements were taken away")
for count, steps in found.items():
    print(f"seen:     {count} taken away: {' '.join(steps)}")
as_told = all((steps == whole) == (count < 3) and sorted(steps) == sorted(whole) for count, steps in found.items())
if not as_told:
    print("CHANGED: the order is kept")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/dictdiffer/usr/lib/python3/dist-packages python3 "$work/run.py"
