#!/usr/bin/env bash
# sherlock 0.4.1: a RedisLock with expire=None, "will not expire", expires at once: whoever asks for it is given it.
#
# What: no expiry goes to the script in Redis as the argument -1, and the script compares it to the number -1. Arguments of a script are strings, so they are never equal, and what follows is
# EXPIRE key -1, which deletes the key that was set a moment before. acquire() returns True to all.
# Why it hurts: who turns the expiry off does so in order that a long job cannot lose its lock; from then on nothing is locked at all. It shows in release() only, which says that the lock "was not
# acquired by this instance", and then the work is done. expire=60, the default, is a lock.
# Who should care: who uses sherlock with Redis. Set an expiry, and renew() it.
# Source: sherlock/lock.py, RedisLock._acquire_script; its documentation of expire: "If explicitly set to None, lock will not expire". Needs python3 and redis-server.
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
fetch sherlock sid python3-sherlock=0.4.1-3 python3-filelock python3-redis python3-async-timeout
port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/run.py" <<'PY'
import sys, time
import redis
from sherlock import LockException, RedisLock

client = redis.Redis(port=int(sys.argv[1]))
for _ in range(100):
    try:
        client.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)


def tried(expire):
    """Whether each of three locks of one name is acquired, none of which has been released, and what the first one is told when it releases."""
    locks = [RedisLock(f"report-{expire}", client=client, expire=expire) for _ in range(3)]
    acquired = [lock.acquire(blocking=False) for lock in locks]
    try:
        locks[0].release()
        return acquired, "released"
    except LockException as error:
        return acquired, str(error)


sixty, never = tried(60), tried(None)
print(f"redis-py {redis.__version__}, server {client.info('server')['redis_version']}, Python {sys.version.split()[0]}")
print("expected: of three that try to acquire one lock the first one gets it, with an expiry or without one")
print(f"seen:     expire=60:   {sixty[0]}, then {sixty[1]}")
print(f"          expire=None: {never[0]}, then: {never[1]}")
as_told = sixty == ([True, False, False], "released") and never[0] == [True] * 3 and never[1] != "released"
if not as_told:
    print("CHANGED: a lock without an expiry is held by one")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/sherlock/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$port"
