#!/usr/bin/env bash
# jsonpatch 1.33 (Python): a patch of make_patch() that is applied to the document that it was made from makes another document than the one that it was made for, or cannot be applied, where a list has texts beside lists or objects.
#
# What: where a value is removed in one place and added in another one the two become a move. Steps between them that go through a list whose elements have shifted meanwhile are not corrected, and change a neighbour instead. And a list
# in which only true has become 1, or false 0, has no difference at all, while the same change in a field has one.
# Why it hurts: nothing is raised for the wrong ones: a copy that follows by patches differs from then on, and the next patch, which was made for another document, goes wrong as well. The same call without the move is right.
# Who should care: who keeps documents in step, or logs them, by patches of make_patch(): trees such as ["any", "owner", ["all", ...]], JsonML, steps of a program, rows. Apply each patch to the old document before it is sent, and send the
# whole document where the result is not the new one.
# Source: jsonpatch.py, DiffBuilder.insert() and remove(), which make moves, and _compare_lists(), which asks == of the elements. Lists of lists, and of objects, alone came out right in 30,000 tries. Needs python3.
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
fetch jsonpatch sid python3-jsonpatch=1.33-2 python3-json-pointer

cat >"$work/run.py" <<'PY'
import copy, json, random, sys
import jsonpatch


def arrive(before, after):
    """What the patch from `before` to `after` makes of `before`, as it is sent to another process."""
    patch = jsonpatch.make_patch(before, after).to_string()
    try:
        return json.dumps(jsonpatch.apply_patch(copy.deepcopy(before), patch))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as error:
        return f"cannot be applied ({type(error).__name__})"


def rule(chance, depth=0):
    """Who may enter: any, all or none of names and rules."""
    inner = lambda: rule(chance, depth + 1) if depth < 1 and chance.random() < 0.5 else chance.choice(["owner", "member", "paid", "staff", "admin"])
    return [chance.choice(["any", "all", "none"]), *(inner() for _ in range(chance.randint(1, 3)))]


pairs = [
    (["any", ["none", "staff"], ["any", "paid"]], ["none", ["all", "owner"]]),
    (["stop", {"wait": 9}, {"wait": 9}], [{"wait": 9}, {"wait": 5}]),
    (["any", "owner", ["all", "paid"]], ["any", "staff", ["any", "owner"]]),
    ([False, True], [0, 1]),
    ({"is": True}, {"is": 1}),
]
results = [(before, after, arrive(before, after)) for before, after in pairs]
counts = {"right": 0, "another document": 0, "cannot be applied": 0}
chance = random.Random(1)
for _ in range(5000):
    before, after = rule(chance), rule(chance)
    result = arrive(before, after)
    counts["cannot be applied" if result.startswith("cannot") else "right" if result == json.dumps(after) else "another document"] += 1

print(f"jsonpatch {jsonpatch.__version__}, Python {sys.version.split()[0]}")
print("expected: the patch from one document to another one makes the other one")
for number, (before, after, result) in enumerate(results):
    print(f"{'seen:     ' if number == 0 else '          '}{json.dumps(before)} to {json.dumps(after)}: {'right' if result == json.dumps(after) else result}")
print(f"          of 5000 pairs of random rules: {', '.join(f'{count} {what}' for what, count in counts.items())}")
wrong = [result != json.dumps(after) for _, after, result in results]
told = wrong == [True, True, True, True, False] and counts["another document"] > 0 and counts["cannot be applied"] > 100
if not told:
    print("CHANGED: the patch makes the document that it was made for")
sys.exit(0 if told else 1)
PY
code=0
PYTHONPATH=$work/jsonpatch/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
