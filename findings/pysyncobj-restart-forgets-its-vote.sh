#!/usr/bin/env bash
# PySyncObj 0.3.15 with a journal: a restarted node has forgotten its term and its vote, so two leaders of one term both acknowledge writes, and one is lost.
#
# What: journalFile keeps the log and the commit index; term and vote start from 0 and nobody. A node that voted, was killed and is up again votes a second time in that term.
# Entries of the two leaders then have the same index and the same term, so each takes the other's for its own: neither sees a conflict, and the copies stay different for good.
# Why it hurts: a write that was called with sync=True and answered is in one copy, another one in the other. A crash in the middle of an election is what is to be survived.
# Who should care: who runs PySyncObj, or Patroni with `raft` as its store; as an acceptor's promise, a vote is worth nothing before it is on the disk.
# Source: bakwc/PySyncObj issue 84 (open) and pull request 202; pysyncobj/syncobj.py (raftCurrentTerm, votedForNodeId) and journal.py (MetaStorer). Needs python3.
# How: three processes over TCP on loopback. The link between b and c is cut (each has an address at which nobody answers for the other). b holds still between its election
# and its first message, in the callback for it, as a stopped process does, while a is killed and started again.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

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
fetch pysyncobj sid python3-pysyncobj=0.3.15-1

cat >"$work/node.py" <<'PY'
"""A node: NAME ADDRESS OTHERS is-impatient folder. Answers commands from its standard input."""
import os, sys, time
from pysyncobj import SyncObj, SyncObjConf, replicated

name, address, others, impatient, folder = sys.argv[1:]


class Log(SyncObj):
    def __init__(self):
        self.entries = []
        shortest = 0.5 if impatient == "yes" else 1000
        conf = SyncObjConf(journalFile=f"{folder}/{name}.journal", onStateChanged=self.changed, raftMinTimeout=shortest, raftMaxTimeout=2 * shortest,
                           connectionTimeout=3000, leaderFallbackTimeout=300)
        super().__init__(address, others.split(","), conf)

    def changed(self, _, state):
        if state == 2:
            print("leader", flush=True)
            while name == "b" and not os.path.exists(f"{folder}/go"):
                time.sleep(0.05)

    @replicated
    def add(self, entry):
        self.entries.append(entry)


log = Log()
print("up", flush=True)
for command in sys.stdin:
    if command.startswith("add"):
        try:
            log.add(command.split()[1], sync=True, timeout=30)
            print("acknowledged", flush=True)
        except Exception as error:
            print(f"no: {error!r}", flush=True)
    elif command.startswith("term"):
        print(log.getStatus()["raft_term"], flush=True)
    else:
        print(",".join(log.entries), flush=True)
PY

cat >"$work/run.py" <<'PY'
import socket, subprocess, sys, time

folder = sys.argv[1]


def bound():
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    return probe


def address(probe):
    return f"127.0.0.1:{probe.getsockname()[1]}"


# Nobody listens at the ports that stay bound.
silent = [bound(), bound()]
free = [bound() for _ in "abc"]
a, b, c = map(address, free)
for probe in free:
    probe.close()
nodes = {}


def start(name, own, others, impatient):
    nodes[name] = subprocess.Popen([sys.executable, f"{folder}/node.py", name, own, ",".join(others), impatient, folder],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    heard(name, "up")


def heard(name, *wanted):
    line = nodes[name].stdout.readline().strip()
    if wanted and line not in wanted:
        sys.exit(f"{name} says {line!r}")
    return line


def ask(name, command):
    nodes[name].stdin.write(command + "\n")
    nodes[name].stdin.flush()
    return heard(name)


try:
    start("a", a, [b, c], "no")
    start("b", b, [a, address(silent[0])], "yes")
    heard("b", "leader")
    voted = ask("a", "term")
    nodes["a"].kill()
    nodes["a"].wait()
    start("a", a, [b, c], "no")
    again = ask("a", "term")
    start("c", c, [a, address(silent[1])], "yes")
    heard("c", "leader")
    terms = [ask("b", "term"), ask("c", "term")]
    by_c = ask("c", "add from-c")
    open(f"{folder}/go", "w").close()
    by_b = ask("b", "add from-b")
    # Each leader has applied what it acknowledged; a applies it when it hears that it is committed.
    for _ in range(300):
        entries = {name: ask(name, "entries") for name in "abc"}
        if all(entries.values()):
            break
        time.sleep(0.1)
finally:
    for node in nodes.values():
        node.kill()
        node.wait()

print("expected: a, which voted for b in a term, still knows it after a restart; c is elected in a later term only, and b's write is not acknowledged")
print(f"seen:     a's term: {voted}, after the restart {again}; b leads term {terms[0]}, c term {terms[1]}; c's write: {by_c}, b's: {by_b};",
      "entries: " + "; ".join(f"{name} {entries[name]}" for name in "abc"))
if not (terms[0] == terms[1] and by_b == by_c == "acknowledged" and entries["b"] == "from-b" and entries["c"] == "from-c"):
    print("CHANGED: not two leaders of one term that both acknowledge")
    sys.exit(7)
PY
code=0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/pysyncobj/usr/lib/python3/dist-packages timeout 150 python3 "$work/run.py" "$work" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    echo "could not be run ($code)" >&2
    exit 2
    ;;
esac
