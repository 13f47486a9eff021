#!/usr/bin/env bash
# persist-queue 1.0.0: whoever opens an SQLiteAckQueue is given the jobs that others are working on, from the first one on.
#
# What: opening marks every job that was handed out and not acknowledged as ready again, for it takes them for those of a process that has ended; no job tells whose it
# is. The next get() of the newcomer is the oldest job at work. The ack() of both is accepted, the late one changes nothing and says nothing of it.
# Why it hurts: a second worker, a rolling deployment, a script that opens the queue to look how long it is: each makes the jobs that are under way run once more, beside
# themselves. With one more worker for a queue of long jobs each of them runs twice.
# Who should care: who acknowledges jobs and has more than one process. auto_resume=False, and resume_unack_tasks() in one place, when no worker is up.
# Source: the package's sqlackqueue.py (__init__: auto_resume=True; resume_unack_tasks goes by the status alone).
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
fetch persist-queue trixie python3-persist-queue=1.0.0-1

cat >"$work/run.py" <<'PY'
"""FOLDER: whom the jobs of a queue are given to, by a worker that is at one of them and one that starts in the meantime."""
import subprocess, sys
import persistqueue

print(f"persist-queue {persistqueue.__version__}, Python {sys.version.split()[0]}")

NEWCOMER = """
import sys
import persistqueue
queue = persistqueue.SQLiteAckQueue(sys.argv[1], auto_resume=sys.argv[2] == "True")
job = queue.get(block=False)
queue.ack(job)
print(job)
"""


def jobs_of_two(folder, auto_resume):
    queue = persistqueue.SQLiteAckQueue(folder)
    for job in ("first", "second"):
        queue.put(job)
    mine = queue.get(block=False)
    newcomer = subprocess.run([sys.executable, "-c", NEWCOMER, folder, str(auto_resume)], check=True, capture_output=True, text=True)
    queue.ack(mine)
    return mine, newcomer.stdout.strip()


by_default = jobs_of_two(f"{sys.argv[1]}/default", True)
without = jobs_of_two(f"{sys.argv[1]}/without", False)
print("expected: the worker that starts while another one has the first job is given the second")
print(f"seen:     one worker has the {by_default[0]} job, the other one is given the {by_default[1]}; with auto_resume=False: the {without[1]}")
holds = by_default == ("first", "first") and without == ("first", "second")
if not holds:
    print("CHANGED: a job that a worker has is not given to another one")
sys.exit(0 if holds else 1)
PY

code=0
PYTHONPATH=$work/persist-queue/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work/queues" || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 2; }
[ "$code" -eq 0 ] || exit "$code"
