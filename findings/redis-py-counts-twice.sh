#!/usr/bin/env bash
# redis-py 6.1.0: an incr() that times out is sent again on its own: 2 for one call; set(nx=True) says that somebody else has what it just took.
#
# What: since 6.0 a client of one server repeats a command up to three times after a lost connection or a timeout, whichever it is, and pipelines with their transactions,
# too. A server that is slow for a moment carries out the first one after its client has gone, and then the second one. socket_timeout fails nothing any more in that time.
# Why it hurts: counters, quotas and queues count twice without an error; a lock that was taken answers None, so it is held by nobody until it expires, and what waits for
# "not taken" to mean "somebody is at it" waits in vain. valkey-py 6.1.1, of the same origin, raises TimeoutError.
# Who should care: who came from redis-py 5, where it was an error. Retry(NoBackoff(), 0) as retry=, and reads repeated by the caller.
# Source: the package's redis/client.py (retry: Retry = Retry(..., retries=3)) and connection.py; redis/redis-py#3614 (the default), #4082 (ten later on). Needs python3 and redis-server.
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
fetch redis-py trixie python3-redis=6.1.0-2 python3-async-timeout

cat >"$work/run.py" <<'PY'
"""PORT: what one call with a time limit does while the server is busy for a second and a half."""
import sys, threading, time
import redis

port = int(sys.argv[1])
BUSY = """local function now() local time = redis.call('TIME') return time[1] * 1000000 + time[2] end
local till = now() + 1500000
while now() < till do end"""

for _ in range(100):
    try:
        admin = redis.Redis(port=port, socket_timeout=20)
        admin.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)
print(f"redis-py {redis.__version__}, server {admin.info('server')['redis_version']}, Python {sys.version.split()[0]}")


def during_a_pause(call):
    client = redis.Redis(port=port, socket_timeout=0.5)
    client.ping()
    busy = threading.Thread(target=lambda: redis.Redis(port=port, socket_timeout=20).eval(BUSY, 0))
    busy.start()
    time.sleep(0.2)
    try:
        answer = call(client)
    except redis.RedisError as error:
        answer = type(error).__name__
    busy.join()
    return answer


count = during_a_pause(lambda client: client.incr("count"))
lock = during_a_pause(lambda client: client.set("lock", "me", nx=True))
push = during_a_pause(lambda client: client.pipeline().rpush("jobs", "job").execute())
owner, jobs = admin.get("lock").decode(), admin.llen("jobs")

print("expected: TimeoutError after half a second, the outcome unknown; done once at most")
print(f"seen:     incr: {count}, the counter is at {int(admin.get('count'))}")
print(f"          set(nx=True): {lock}, the lock has {owner}")
print(f"          a transaction with one rpush: {push}, jobs in the list: {jobs}")
holds = count == 2 and lock is None and owner == "me" and push == [2] and jobs == 2
if not holds:
    print("CHANGED: a command that timed out is not sent again")
sys.exit(0 if holds else 1)
PY

port=$(free_port)
mkdir "$work/data"
redis-server --port "$port" --bind 127.0.0.1 --dir "$work/data" --save '' >"$work/log" 2>&1 &
pids+=("$!")
code=0
PYTHONPATH=$work/redis-py/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$port" || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 2; }
[ "$code" -eq 0 ] || exit "$code"
