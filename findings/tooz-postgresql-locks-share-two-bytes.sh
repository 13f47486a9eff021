#!/usr/bin/env bash
# tooz 9.1.0 on PostgreSQL: all locks of the world share 65,536 keys: "order-232" cannot be taken while "order-403" is held, and who needs both waits for ever.
#
# What: the name of a lock is hashed, and two bytes of the hash are the key of pg_advisory_lock, one for each of its two 32-bit halves. Three hundred names are enough for an even chance
# that two of them are one lock. No namespace goes into the key, and values below 256 are what other programs choose for their own advisory locks.
# Why it hurts: a task that holds one lock and takes another waits for itself, on a connection of its own, where PostgreSQL sees no deadlock: with the default, blocking, for ever. With
# blocking=False it is told that somebody has the lock, and skips the work, each time.
# Who should care: who has a lock for each order, user or file by OpenStack's tooz, and whoever shares its database. Other drivers of it (Redis, ZooKeeper, etcd, MySQL) take the whole name.
# Source: tooz/drivers/pgsql.py (PostgresLock: h.digest()[0:2]).
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -INT "$pid" || true; done
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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
# PostgreSQL starts programs of its own and refuses to run as root, and tooz wants the Python of its release: both live in a folder with its libraries, as nobody.
root=$work/pg
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,data}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch pg sid postgresql-18=18.6-3 python3-tooz=9.1.0-2 libc6 dash libaudit1 libcap-ng0 libcap2 libcom-err2 libgcc-s1 libgssapi-krb5-2 libicu78 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
  libldap2 liblz4-1 libnuma1 libpam0g libpcre2-8-0 libpq5 libsasl2-2 libselinux1 libssl3t64 libstdc++6 libsystemd0 liburing2 libuuid1 libxml2-16 libxslt1.1 libxxhash0 libzstd1 tzdata zlib1g \
  python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libexpat1 libffi8 libyaml-0-2 python3-debtcollector python3-fasteners python3-futurist python3-iso8601 python3-msgpack \
  python3-netaddr python3-oslo.i18n python3-oslo.serialization python3-oslo.utils python3-packaging python3-pbr python3-psutil python3-psycopg2 python3-pyparsing python3-setuptools \
  python3-stevedore python3-tenacity python3-voluptuous python3-wrapt python3-yaml
mkdir -p "$root/etc"
echo 'nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
chmod 755 "$work"
chmod 777 "$root/data" "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
postgres() { chroot --userspec=65534:65534 "$root" "/usr/lib/postgresql/18/bin/$1" "${@:2}"; }
port=$(free_port)
postgres initdb -D /data/db -U postgres -A trust --no-locale -c dynamic_shared_memory_type=mmap >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
chroot --userspec=65534:65534 "$root" /usr/lib/postgresql/18/bin/postgres -D /data/db -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= >>"$work/log" 2>&1 &
pids+=("$!")

cat >"$root/run.py" <<'PY'
"""PORT: which locks can be taken while another one is held."""
import sys, time
from importlib.metadata import version

import psycopg2
from tooz import ToozError, coordination

url = f"postgresql://postgres@127.0.0.1:{sys.argv[1]}?dbname=postgres"
for tries in range(100):
    try:
        coordinator = coordination.get_coordinator(url, b"worker")
        coordinator.start(start_heart=False)
        break
    except ToozError:
        time.sleep(0.2)
else:
    sys.exit("no database")

held = coordinator.get_lock(b"order-403")
assert held.acquire(blocking=False)
others = {name: coordinator.get_lock(name.encode()) for name in ("order-231", "order-232", "order-233")}
taken = {name: lock.acquire(blocking=False) for name, lock in others.items()}
database = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres")
with database.cursor() as cursor:
    cursor.execute("SELECT DISTINCT classid::bigint, objid::bigint FROM pg_locks WHERE locktype = 'advisory' ORDER BY 1, 2")
    keys = cursor.fetchall()
    cursor.execute("SHOW server_version")
    server = cursor.fetchone()[0].split()[0]
names = [f"order-{number}".encode() for number in range(10_000)]
distinct = len({bytes(coordinator.get_lock(name).key) for name in names})

print(f"tooz {version('tooz')}, PostgreSQL {server}, Python {sys.version.split()[0]}")
print("expected: while order-403 is held, order-231, order-232 and order-233 can be taken")
print("seen:     " + "; ".join(f"{name}: {'taken' if is_taken else 'refused'}" for name, is_taken in taken.items()) + f"; keys in the server: {keys};")
print(f"          10,000 names have {distinct} keys")
for lock in [held, *(lock for name, lock in others.items() if taken[name])]:
    lock.release()
holds = list(taken.values()) == [True, False, True] and distinct < 9_700 and max(max(key) for key in keys) < 256
if not holds:
    print("CHANGED: the key of a lock has more than two bytes")
sys.exit(0 if holds else 7)
PY
code=0
PYTHONDONTWRITEBYTECODE=1 timeout 60 chroot --userspec=65534:65534 "$root" /usr/bin/python3.14 /run.py "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
