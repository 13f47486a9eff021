#!/usr/bin/env bash
# RQ 2.12: two jobs that are queued with one job_id are not one, and not two: the second one is run twice, and the first one never.
#
# What: the job is a hash under its id, and the queue is a list of ids. enqueue() writes over the hash and adds the id to the list once more; each time a worker comes by the id, it runs what is in
# the hash then.
# Why it hurts: an id is given so that a thing is done once: order-1 is charged twice, and where the two differ, as a correction does, the first call is lost. After it is done nothing is left that
# tells so: one job, finished.
# Who should care: who passes job_id for idempotency, or to find the job again. unique=True refuses the second one.
# Source: rq/queue.py (enqueue_job saves, then pushes the id). Needs python3 and redis-server.
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

for tool in python3 redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch rq sid python3-rq=2.12-1 python3-redis python3-click python3-croniter python3-dateutil python3-async-timeout
port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/shop.py" <<'PY'
import os

import redis


def charge(cents):
    redis.Redis(port=int(os.environ["REDIS_PORT"])).rpush("charged", cents)
PY
cat >"$work/run.py" <<'PY'
import os
import sys
import time

import redis
import rq

import shop

connection = redis.Redis(port=int(os.environ["REDIS_PORT"]))
for tries in range(100):
    try:
        connection.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)


def charged(name, **options):
    """What is charged after two jobs were queued under one id."""
    queue = rq.Queue(name, connection=connection)
    told = []
    for cents in (500, 700):
        try:
            told.append(queue.enqueue(shop.charge, cents, job_id=f"{name}-1", **options).id)
        except rq.exceptions.DuplicateJobError:
            told.append("refused")
    rq.SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
    amounts = [int(cents) for cents in connection.lrange("charged", 0, -1)]
    connection.delete("charged")
    return told, amounts


plain = charged("order")
unique = charged("invoice", unique=True)
print(f"RQ {rq.__version__}, redis-py {redis.__version__}, server {connection.info('server')['redis_version']}, Python {sys.version.split()[0]}")
print("expected: charge(500) and charge(700), queued under one id, are each done once, or one of them is done once")
print(f"seen:     told {plain[0]}, charged {plain[1]}; with unique=True: told {unique[0]}, charged {unique[1]}")
holds = plain == (["order-1", "order-1"], [700, 700]) and unique == (["invoice-1", "refused"], [500])
if not holds:
    print("CHANGED: each is done once, or the second one is refused")
sys.exit(0 if holds else 7)
PY
code=0
PYTHONDONTWRITEBYTECODE=1 REDIS_PORT=$port PYTHONPATH=$work/rq/usr/lib/python3/dist-packages:$work timeout 40 python3 "$work/run.py" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
