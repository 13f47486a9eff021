#!/usr/bin/env bash
# Django 5.2.18 with its file-based cache: of four processes that cache.add() one key at the same moment two and more are told that they added it.
#
# What: add() of the file-based cache looks whether the key is there, and then sets it, with nothing around the two. In a database it is a transaction, here of SQLite; Memcached and Redis have a
# command for it, and the cache in memory a lock.
# Why it hurts: "if cache.add('lock', 1, timeout)" is how one task of many is let through: a mail, a report, a payment run. With files as the cache, as small servers and tests have them, two are let
# through whenever they start together, as those of one cron line or one queue do.
# Who should care: who has a lock, a limit or an idempotency key in Django's cache. Any other backend, or a row with a unique key.
# Source: django/core/cache/backends/filebased.py (add: has_key(), then set()). Needs python3, 3.10 or later.
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
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo 'needs Python 3.10 or later' >&2; exit 3; }
fetch django sid python3-django=3:5.2.18-2 python3-asgiref python3-sqlparse

cat >"$work/run.py" <<'PY'
"""FOLDER: how many of 300 keys are added by more than one of four processes that start together."""
import multiprocessing
import sys
import time
from collections import Counter

import django
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command

KEYS = 300
PROCESSES = 4
folder = sys.argv[1]
settings.configure(
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{folder}/files", "OPTIONS": {"MAX_ENTRIES": 10_000}},
        "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache", "OPTIONS": {"MAX_ENTRIES": 10_000}},
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db", "OPTIONS": {"timeout": 20}}},
)


def add_all(name, start, winners):
    cache = caches[name]
    start.wait()
    winners.put([key for key in range(KEYS) if cache.add(f"job-{key}", 1, 60)])


def added_twice(name):
    start, winners = multiprocessing.Event(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=add_all, args=(name, start, winners), daemon=True) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    time.sleep(1)
    start.set()
    told = Counter(key for _ in processes for key in winners.get(timeout=40))
    return sum(count > 1 for count in told.values())


if __name__ == "__main__":
    django.setup()
    call_command("createcachetable")
    seen = {name: added_twice(name) for name in ("default", "database")}
    print(f"Django {django.__version__}, Python {sys.version.split()[0]}")
    print(f"expected: of {PROCESSES} processes that add a key one is told True, for each of {KEYS} keys")
    print(f"seen:     more than one was told True: in files {seen['default']} times, in a database {seen['database']} times")
    holds = seen["default"] >= 3 and seen["database"] == 0
    if not holds:
        print("CHANGED: one is told True in files as well, or two in a database")
    sys.exit(0 if holds else 7)
PY
code=0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/django/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *) exit 2 ;;
esac
