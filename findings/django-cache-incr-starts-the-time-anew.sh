#!/usr/bin/env bash
# Django 5.2.18: in the database cache and in the file-based one incr() gives its key a new time, the default of 300 s, whatever it was set with: a counter "for one minute" never ends while it is used.
#
# What: these two read the number and set() it, without the timeout that it had. In the memory of the process, in Redis and in memcached the key keeps its time. A key without an end (timeout=None) gets one of 300 s.
# Why it hurts: a limit of ten attempts in a minute, `add(key, 0, 60)` and then `incr(key)`, locks out for good who goes on trying more often than every five minutes; a counter that was to stay is gone. In tests, on
# the cache in memory, it is right.
# Who should care: who limits, counts or locks by incr() in these caches. touch(key, timeout) after it, or a time in the name of the key.
# Source: django/core/cache/backends/base.py, incr(); "The low-level cache API" speaks of incr() not being atomic, and not of the timeout. Needs python3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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
"""FOLDER: what is left in each cache, after its time, of a key that was counted up within it."""
import sys
import time

import django
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command

folder = sys.argv[1]
BACKENDS = "django.core.cache.backends"
settings.configure(
    CACHES={
        "default": {"BACKEND": f"{BACKENDS}.locmem.LocMemCache"},
        "database": {"BACKEND": f"{BACKENDS}.db.DatabaseCache", "LOCATION": "cache"},
        "files": {"BACKEND": f"{BACKENDS}.filebased.FileBasedCache", "LOCATION": f"{folder}/files"},
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db"}},
)
django.setup()
call_command("createcachetable", verbosity=0)
for cache in caches.all(initialized_only=False):
    cache.add("counted", 0, timeout=3)
    cache.add("plain", 0, timeout=3)
    cache.incr("counted")
time.sleep(6)
seen = {name: (caches[name].get("plain", "gone"), caches[name].get("counted", "gone")) for name in ("default", "database", "files")}
print(f"Django {django.get_version()}, Python {sys.version.split()[0]}")
print("expected: a key with a timeout of 3 s is gone after 6 s, counted up or not")
for name, (plain, counted) in seen.items():
    print(f"seen:     {name}: a key that was set only is {plain}, one that was counted up is {counted}")
holds = seen == {"default": ("gone", "gone"), "database": ("gone", 1), "files": ("gone", 1)}
if not holds:
    print("CHANGED: incr() leaves the time of its key as it was")
sys.exit(0 if holds else 1)
PY
PYTHONPATH=$work/django/usr/lib/python3/dist-packages timeout 120 python3 "$work/run.py" "$work"
