#!/usr/bin/env bash
# aiocache 0.12.3: RedLock on Redis keeps nobody of another process out: who finds it taken enters at once, and within one process all that waited enter together.
#
# What: the key in Redis tells that somebody has the lock, and what one waits for is an event in the memory of the process that took it. Another process has no such event, takes that for
# "released in the meantime", and goes on, as if it held the lock. Where there is an event, all who wait for it go on when it comes; none of them takes the lock.
# Why it hurts: it is called RedLock, it takes a name and a lease, and Redis shows a key with a unique value. A report that must be made once is made by each worker of the server; with
# one process, as in tests, the first one at least is alone.
# Who should care: who has more than one process, or more than two who wait. Its documentation says that it is there against stampedes of a cache: those of other processes it lets through.
# Source: aiocache/lock.py (_wait_for_release: KeyError is passed over; nobody tries _add again). Needs python3 and a redis-server.
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
fetch aiocache sid python3-aiocache=0.12.3-3 python3-async-timeout python3-redis
port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/run.py" <<'PY'
"""PORT [worker]: who is within a RedLock at the same time as somebody else."""
import asyncio, subprocess, sys, time
from importlib.metadata import version

from aiocache import Cache
from aiocache.lock import RedLock

port = int(sys.argv[1])
HELD_S = 3


def cache():
    return Cache(Cache.REDIS, endpoint="127.0.0.1", port=port)


async def worker():
    """Another process: how long it waits for the lock."""
    store = cache()
    begin = time.monotonic()
    async with RedLock(store, "report", lease=30):
        print(f"{time.monotonic() - begin:.1f}")
    await store.close()


async def ready(store):
    for _ in range(100):
        try:
            return await store.get("anything")
        except Exception:
            await asyncio.sleep(0.1)
    sys.exit("no Redis")


async def main():
    store = cache()
    await ready(store)
    async with RedLock(store, "report", lease=30):
        begin = time.monotonic()
        other = await asyncio.to_thread(subprocess.run, [sys.executable, *sys.argv, "worker"], check=True, capture_output=True, text=True)
        started_and_done_s = time.monotonic() - begin
        await asyncio.sleep(max(0, HELD_S - started_and_done_s))
        held_s = time.monotonic() - begin

    inside = most = 0

    async def report():
        nonlocal inside, most
        async with RedLock(store, "local", lease=30):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.3)
            inside -= 1

    await asyncio.gather(*(report() for _ in range(4)))
    await store.close()
    print(f"aiocache {version('aiocache')}, redis-py {version('redis')}, Python {sys.version.split()[0]}")
    print(f"expected: who asks for a lock that is held for {held_s:.0f} s waits for it; of four tasks one at a time is within")
    print(f"seen:     another process waited {other.stdout.strip()} s; tasks of one process within at once: {most}")
    holds = float(other.stdout) < 1 and started_and_done_s < 30 and most == 3
    if not holds:
        print("CHANGED: the lock is waited for, or taken by one at a time")
    sys.exit(0 if holds else 7)


asyncio.run(worker() if sys.argv[2:] else main())
PY
code=0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/aiocache/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    echo "could not be run ($code)" >&2
    exit 2
    ;;
esac
