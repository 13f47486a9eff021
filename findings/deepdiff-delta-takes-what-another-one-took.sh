#!/usr/bin/env bash
# deepdiff 9.0.0: a bidirectional Delta, which checks the object it is added to, does not check additions and removals: a field that somebody else has set since is overwritten, without an error.
#
# What: with bidirectional=True (and raise_errors=True) a change of a value, and a removal of a field whose value is another one, are refused where the object is not what the difference was made from. An added field is set
# whatever is there; a field, or an element, that is to be removed and is not there, or is another one, is left, and the rest is made. JSON Patch has `test` for each of these.
# Why it hurts: the usual claim is a field that is absent and then has an owner: {} to {"owner": "bob"}. Of two who claim it from the same state both are told that it was made; the first one's is overwritten.
# Who should care: who sends deltas about, or stores them as a log, and counts on the check. Compare a version of the whole object, or begin with {"owner": None}: a change from None is checked.
# Source: deepdiff/delta.py, _do_item_added(); its documentation of bidirectional: "It will also check that the object you are adding the delta to, has the same values as the original object". Needs python3.
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
fetch deepdiff sid python3-deepdiff=9.0.0-2 python3-orderly-set=5.5.0-3

cat >"$work/run.py" <<'PY'
import copy, json, logging, sys
import deepdiff
from deepdiff import DeepDiff, Delta
from deepdiff.delta import DeltaError

logging.disable(logging.CRITICAL)


def add(before, after, now):
    """What becomes of `now` if the difference of the other two is added to it."""
    # As it is sent to another process, or stored.
    delta = Delta(Delta(DeepDiff(before, after), bidirectional=True).dumps(), bidirectional=True, raise_errors=True)
    try:
        return json.dumps(copy.deepcopy(now) + delta)
    except DeltaError:
        return "refused"


nobodys, bobs, anns = {}, {"owner": "bob"}, {"owner": "ann"}
seen = {
    "bob claims what is ann's by now, from None": add({"owner": None}, bobs, anns),
    "the same, from an absent field": add(nobodys, bobs, anns),
    "bob gives back what is ann's by now": add(bobs, nobodys, anns),
    "bob gives back what has no owner by now": add(bobs, nobodys, nobodys),
    "2 is removed from a list that has 9 there by now": add([1, 2, 3], [1, 3], [1, 9, 3]),
    "the same, and another field is set": add({"jobs": [1, 2, 3]}, {"jobs": [1, 3], "done": 2}, {"jobs": [1, 9, 3]}),
}
print(f"deepdiff {deepdiff.__version__}, Python {sys.version.split()[0]}")
print("expected: a delta with bidirectional=True and raise_errors=True is refused by an object that is not what it was made from")
for number, (what, result) in enumerate(seen.items()):
    print(f"{'seen:     ' if number == 0 else '          '}{what}: {result}")
told = list(seen.values()) == ["refused", '{"owner": "bob"}', "refused", "{}", "[1, 9, 3]", '{"jobs": [1, 9, 3], "done": 2}']
if not told:
    print("CHANGED: what is added and removed is checked, or a change is not")
sys.exit(0 if told else 1)
PY
code=0
PYTHONPATH=$work/deepdiff/usr/lib/python3/dist-packages timeout 30 python3 "$work/run.py" || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
