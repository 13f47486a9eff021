#!/usr/bin/env bash
# kazoo 2.11.0: `with client.transaction()` raises nothing where ZooKeeper refused the transaction: the check failed, nothing was made, and the program goes on; put_all() of its LockingQueue tells its caller so, too.
#
# What: commit() does not raise, it returns the errors in a list. At the end of a `with` block commit() is called and its list is dropped, so that there is nothing left to look at. set(), create() and delete()
# raise BadVersionError, NodeExistsError and NoNodeError for the same conditions.
# Why it hurts: a check of a version in a transaction is the compare-and-set of ZooKeeper, and guards a leader's writes by its epoch. Written in the short form it is never heard of: orders that were not stored are
# acknowledged. LockingQueue uses that form itself: put_all() returns, and stores nothing, where put() raises; "the action only succeeds if all entries where put into the queue", it says.
# Who should care: who uses transactions of kazoo. Call commit(), and look for exceptions among what it returns.
# Source: kazoo/client.py, TransactionRequest.__exit__() (its documentation: "The result should be checked"); kazoo/recipe/queue.py. Needs python3 and java.
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

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in python3 java; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch kazoo sid python3-kazoo=2.11.0-1
fetch zookeeper sid libzookeeper-java=3.9.6-2 libslf4j-java libcommons-io-java libcommons-cli-java libsnappy-java libnetty-java libnetty-common-java libnetty-buffer-java \
  libdropwizard-metrics-java libjackson2-core-java libjackson2-databind-java libjackson2-annotations-java
jars=
for name in zookeeper zookeeper-jute slf4j-api slf4j-nop commons-io commons-cli metrics-core snappy-java netty-{handler,common,buffer,transport,codec,resolver} jackson-{core,databind,annotations}; do
  jars+=$work/zookeeper/usr/share/java/$name.jar:
done
port=$(free_port)
java -Xmx128m -Dzookeeper.admin.enableServer=false -Dzookeeper.clientPortAddress=127.0.0.1 -cp "$jars" org.apache.zookeeper.server.ZooKeeperServerMain "$port" "$work/data" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/run.py" <<'PY'
import logging, sys
import kazoo.version
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException

logging.disable(logging.CRITICAL)
client = KazooClient(f"127.0.0.1:{sys.argv[1]}")
client.start(timeout=60)


def told(call):
    try:
        call()
    except KazooException as error:
        return f"raised {type(error).__name__}"
    return "raised nothing"


# The leader of epoch 0 has been followed by that of version 1, and does not know.
client.create("/epoch")
client.set("/epoch", b"1")


def order():
    with client.transaction() as transaction:
        transaction.check("/epoch", 0)
        transaction.create("/order")


alone = told(lambda: client.set("/epoch", b"0", version=0))
within = told(order)
stored = client.exists("/order") is not None
transaction = client.transaction()
transaction.check("/epoch", 0)
transaction.create("/order")
returned = [type(result).__name__ for result in transaction.commit()]

queue = client.LockingQueue("/jobs")
queue.put(b"the first")
# As whoever tidies up does.
client.delete("/jobs", recursive=True)
put = told(lambda: queue.put(b"the second"))
put_all = told(lambda: queue.put_all([b"the third", b"the fourth"]))
jobs = client.exists("/jobs") is not None
client.stop()

print(f"kazoo {kazoo.version.__version__}, ZooKeeper 3.9.6, Python {sys.version.split()[0]}")
print("expected: what ZooKeeper refused, since a check failed, is raised at the end of the `with` block, as it is by set()")
print(f"seen:     set() {alone}; `with client.transaction()` {within}, and the order is stored: {stored}; commit() returned {returned}")
print(f"          of a queue that was removed: put() {put}, put_all() {put_all}, and there are jobs: {jobs}")
as_told = (
    (alone, within, stored, returned) == ("raised BadVersionError", "raised nothing", False, ["BadVersionError", "RuntimeInconsistency"])
    and (put, put_all, jobs) == ("raised NoNodeError", "raised nothing", False)
)
if not as_told:
    print("CHANGED: a transaction that is refused is raised")
sys.exit(0 if as_told else 1)
PY
code=0
PYTHONPATH=$work/kazoo/usr/lib/python3/dist-packages timeout 90 python3 "$work/run.py" "$port" || code=$?
if ((code > 1)); then
  tail -5 "$work/log" >&2
  exit 2
fi
((code == 0))
