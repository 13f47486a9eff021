#!/usr/bin/env bash
# hishel 1.1.9 and requests-cache 1.3.3 (Python): a GET after a PUT, PATCH, POST or DELETE of the same URL, by the same client, is answered from the cache with what was there before, for as long as max-age says.
#
# What: RFC 9111, 4.4: "A cache MUST invalidate the target URI when it receives a non-error status code in response to an unsafe request method." hishel, which goes by that RFC, and requests-cache, with cache_control=True as
# without, pass unsafe requests by and drop nothing. CacheControl does for PUT, PATCH and DELETE, and not for POST.
# Why it hurts: a program does not read its own write: it decides on the old state, sends the old ETag, and shows as present what it has deleted.
# Who should care: clients of REST interfaces that cache. Delete by hand after a write (session.cache.delete(urls=[...])), or send Cache-Control: no-cache with the reads that decide.
# Source: hishel/_core/_spec.py (InvalidateEntries comes after a validation only); requests_cache/session.py, send(). Needs chroot.
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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
root=$work/python
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,etc}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch python sid python3-hishel=1.1.9-1 python3-requests-cache=1.3.3-2 python3-cachecontrol=0.14.4-1 python3-requests python3-urllib3 python3-certifi python3-idna python3-charset-normalizer python3-msgpack \
  python3-typing-extensions python3-anyio python3-attr python3-cattr python3-platformdirs python3-url-normalize python3.14 python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libc6 zlib1g libexpat1 libsqlite3-0 libssl3t64 \
  libffi8 libbz2-1.0 liblzma5 libzstd1 libgcc-s1 libuuid1 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
echo '127.0.0.1 localhost' >"$root/etc/hosts"

cat >"$root/tmp/run.py" <<'PY'
import importlib.metadata
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cachecontrol
import hishel
import requests
import requests_cache
from hishel.requests import CacheAdapter

stored = {}


class Registers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=60")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        self.answer(stored[self.path])

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        stored[self.path] = "deleted" if self.command == "DELETE" else body
        self.answer("")

    do_PATCH = do_POST = do_DELETE = do_PUT

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Registers)
threading.Thread(target=server.serve_forever, daemon=True).start()


def reads(name, session):
    """What the session reads after each kind of write of its own."""
    read = {}
    for method in ("PUT", "PATCH", "POST", "DELETE"):
        path = f"/{name}/{method}"
        url = f"http://127.0.0.1:{server.server_port}{path}"
        stored[path] = "old"
        session.get(url)
        session.request(method, url, data=None if method == "DELETE" else "new").raise_for_status()
        read[method] = session.get(url).text
    return read


by_hishel = requests.Session()
by_hishel.mount("http://", CacheAdapter(storage=hishel.SyncSqliteStorage(database_path="/tmp/hishel.db")))
seen = {
    "requests": reads("requests", requests.Session()),
    "hishel": reads("hishel", by_hishel),
    "requests-cache": reads("requests-cache", requests_cache.CachedSession(backend="memory")),
    "requests-cache, cache_control": reads("cache_control", requests_cache.CachedSession(backend="memory", cache_control=True)),
    "CacheControl": reads("CacheControl", cachecontrol.CacheControl(requests.Session())),
}
print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("hishel", "requests-cache", "CacheControl")), f"Python {sys.version.split()[0]}")
print("expected: after a write of its own a client reads what it has written: new, new, new, deleted")
for name, read in seen.items():
    print(f"seen:     {name}: {', '.join(f'{method} {text}' for method, text in read.items())}")
old = ["old"] * 4
new = ["new", "new", "new", "deleted"]
holds = [list(read.values()) for read in seen.values()] == [new, old, old, old, ["new", "new", "old", "deleted"]]
if not holds:
    print("CHANGED: they read what they have written")
sys.exit(0 if holds else 4)
PY
code=0
env -i PATH=/usr/bin:/usr/sbin HOME=/tmp PYTHONPATH=/usr/lib/python3/dist-packages timeout 60 chroot "$root" /usr/bin/python3.14 /tmp/run.py 2>"$work/log" || code=$?
if ((code != 0 && code != 4)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
