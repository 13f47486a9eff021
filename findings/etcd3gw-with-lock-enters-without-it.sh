#!/usr/bin/env bash
# etcd3gw 2.7.0: `with client.lock(NAME):` enters whether it gets the lock or not: as many as ask for it are in at once.
#
# What: acquire() does not wait: it returns False where another one holds the lock. `with` calls it and does not look at what it returned, so the block is run in either case, and the release at its end,
# which compares the holder, does nothing and raises nothing.
# Why it hurts: there is no sign that one is not alone. The locks of threading, of redis-py and of kazoo wait in `with`, or raise.
# Who should care: who locks in etcd by etcd3gw. Call acquire() until it returns True, and only then go on.
# Source: etcd3gw/lock.py, Lock.__enter__(): "Use the lock as a contextmanager". Needs python3.
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

# use NAME PROGRAM: sets cmd to what starts a program of $work/NAME with the libraries of its own release.
use() {
  local libc
  libc=$(dirname "$(find "$work/$1" -name libc.so.6 -print -quit)")
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/$2")
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

command -v python3 >/dev/null || { echo 'needs python3' >&2; exit 2; }
fetch gateway sid python3-etcd3gw=2.7.0-2 python3-futurist python3-pbr python3-requests python3-urllib3 python3-idna python3-certifi python3-chardet python3-debtcollector python3-wrapt python3-packaging
fetch etcd trixie etcd-server=3.5.16-4 libc6
port=$(free_port)
peer=http://127.0.0.1:$(free_port)
use etcd usr/bin/etcd
"${cmd[@]}" --name one --data-dir "$work/data" --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
  --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "one=$peer" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/run.py" <<'PY'
import sys, threading, time
import etcd3gw

client = lambda: etcd3gw.client(port=int(sys.argv[1]))
for _ in range(100):
    try:
        client().status()
        break
    except Exception:
        time.sleep(0.1)

first, second = client().lock("stock", ttl=30), client().lock("stock", ttl=30)
acquired = [first.acquire(), second.acquire()]
first.release()

now, most, guard = 0, 0, threading.Lock()


def sell():
    """Takes one from a stock of three, looking first, under the lock."""
    global now, most
    with client().lock("stock", ttl=30):
        with guard:
            now += 1
            most = max(most, now)
        stock = int(client().get("left")[0])
        time.sleep(0.5)
        client().put("left", str(stock - 1))
        with guard:
            now -= 1


client().put("left", "3")
sellers = [threading.Thread(target=sell) for _ in range(3)]
for seller in sellers:
    seller.start()
for seller in sellers:
    seller.join()
stock = int(client().get("left")[0])

print(f"etcd {client().status()['version']}, Python {sys.version.split()[0]}")
print("expected: one at a time is in `with client.lock(...)`: three that take one each from a stock of three leave none")
print(f"seen:     acquire() of two says {acquired}; in `with` there were {most} at once, and {stock} of the three are left")
as_told = acquired == [True, False] and most == 3 and stock == 2
if not as_told:
    print("CHANGED: `with` waits for the lock, or raises")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/gateway/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$port"
