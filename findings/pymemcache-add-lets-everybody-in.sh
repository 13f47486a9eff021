#!/usr/bin/env bash
# pymemcache 4.0.0: add() is True for everybody, as are replace() of what is absent, delete() of what is absent, and set() of what memcached refuses.
#
# What: a client sends these without waiting for an answer ("noreply") unless it is told otherwise, and says True for what it has not heard of. incr() and cas() wait. That a value is
# too large for the server is no error then either: the key is gone, and set() is True.
# Why it hurts: add() is how one locks, counts once, or is the first in memcached: here all are. In a test with one process nothing shows it.
# Who should care: who locks or deduplicates by add(). `default_noreply=False`, or noreply=False at each call, gives the answers; Django's backend has to set it for the same reason.
# Source: pymemcache/client/base.py (default_noreply=True); doc/protocol.txt of memcached on noreply. Needs python3.
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

until_ok() {
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "gave up waiting for: $*" >&2
  exit 2
}

command -v python3 >/dev/null || { echo 'needs python3' >&2; exit 2; }
fetch pymemcache sid python3-pymemcache=4.0.0-9
fetch memcached sid memcached=1.6.45-1 libc6 libevent-2.1-7t64 liblua5.4-0 libsasl2-2 libssl3t64 libzstd1 zlib1g
use memcached usr/bin/memcached
port=$(free_port)
"${cmd[@]}" -u nobody -l 127.0.0.1 -p "$port" -U 0 -m 16 >"$work/log" 2>&1 &
pids+=("$!")
until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"

cat >"$work/run.py" <<'PY'
import sys
from pymemcache.client.base import Client

address = ("127.0.0.1", int(sys.argv[1]))


def two(**options):
    """What two clients are told that add() the same key, and what replace() and delete() of another one and a set() of 2 MiB say; and what is there then."""
    first, second = Client(address, **options), Client(address, **options)
    first.flush_all(noreply=False)
    told = [first.add("leader", "first"), second.add("leader", "second"), first.replace("absent", "x"), first.delete("absent")]
    try:
        told.append(first.set("leader", b"x" * 2 * 1024 * 1024))
    except Exception as error:
        told.append(type(error).__name__)
    told.append(first.get("leader"))
    return " ".join(map(str, told))


print(two(), "|", two(default_noreply=False))
PY
seen=$(PYTHONPATH=$work/pymemcache/usr/lib/python3/dist-packages python3 "$work/run.py" "$port")

echo 'expected: of two that add() a key one is told True and the other False; replace() and delete() of an absent key: False; a set() that is refused is an error'
echo "seen:     ${seen% |*}; with default_noreply=False:${seen#*|}"
[ "$seen" = 'True True True True True None | True False False False MemcacheServerError None' ] || { echo 'CHANGED: other answers'; exit 1; }
