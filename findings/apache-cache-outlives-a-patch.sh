#!/usr/bin/env bash
# Apache 2.4.69, mod_cache: a PATCH that goes through it leaves the stored answer of its URL valid: who wrote reads what was before, until max-age. A PUT, POST or DELETE drops it.
#
# What: RFC 9111 has a cache invalidate what it stored under a URL when an unsafe request to it succeeds, and "methods whose safety is unknown" as well. mod_cache does so for PUT, POST and DELETE, which were the only ones
# when it was written, and hands a PATCH on without a look. HAProxy drops it for PATCH, too (looked at once, 3.2.26).
# Why it hurts: all was tried with PUT, and the cache reads its own writes; then partial updates are added, and a client that patches and reads again sees its change undone, with the old ETag, and "repairs" it.
# Who should care: REST interfaces behind mod_cache. CacheDisable for what is patched, or no max-age for it; a GET with Cache-Control: no-cache after a PATCH renews what is stored.
# Source: RFC 9111, section 4.4; modules/cache/mod_cache.c, cache_quick_handler() and cache_handler() (a switch over M_PUT, M_POST and M_DELETE). Needs python3.
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
fetch apache sid apache2-bin=2.4.69-1 libapr1t64 libaprutil1t64 libbrotli1 libc6 libcrypt1 libcurl4t64 libexpat1 libjansson4 libldap2 liblua5.4-0 libnghttp2-14 libpcre2-8-0 libssl3t64 libuuid1 libxml2-16 libzstd1 zlib1g
use apache usr/sbin/apache2
origin=$(free_port)
cat >"$work/origin.py" <<'PY'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

stored = {}


class Registers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        self.answer(stored.get(self.path, "old"))

    def do_PUT(self):
        stored[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer("")

    do_PATCH = do_POST = do_DELETE = do_PUT

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Registers).serve_forever()
PY
python3 "$work/origin.py" "$origin" >"$work/origin.log" 2>&1 &
pids+=("$!")
until_ok bash -c ": <>/dev/tcp/127.0.0.1/$origin"
port=$(free_port)
chmod 755 "$work"
mkdir "$work/run" "$work/stored"
chmod 777 "$work/run" "$work/stored"
modules=$work/apache/usr/lib/apache2/modules
cat >"$work/conf" <<END
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile run/pid
ErrorLog run/log
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LoadModule cache_module $modules/mod_cache.so
LoadModule cache_disk_module $modules/mod_cache_disk.so
CacheRoot $work/stored
CacheEnable disk /
ProxyPass / http://127.0.0.1:$origin/
User www-data
Group www-data
END
LD_LIBRARY_PATH=${cmd[2]} "${cmd[@]}" -f "$work/conf" -X >"$work/out" 2>&1 &
pids+=("$!")
for _ in $(seq 50); do
  if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then ready=yes; break; fi
  sleep 0.2
done
[[ ${ready:-} == yes ]] || { tail -n 3 "$work/out" "$work/run/log" >&2; exit 2; }

# ask PORT METHOD PATH [BODY]: the last line of the answer
ask() {
  printf '%s /%s HTTP/1.0\r\nContent-Length: %s\r\n\r\n%s' "$2" "$3" "${#4}" "$4" >&3
  tr -d '\r' <&3 | awk 'END { print }'
} 3<>"/dev/tcp/127.0.0.1/$1"
# through PORT METHOD: what is read before and after a write by METHOD
through() {
  local before
  before=$(ask "$1" GET "$1-$2" '')
  ask "$1" "$2" "$1-$2" new >/dev/null
  echo "$before, $2, $(ask "$1" GET "$1-$2" '')"
}
echo 'expected: old, the write, new'
plain=$(through "$origin" PATCH)
seen=()
for method in PUT POST DELETE PATCH; do seen+=("$(through "$port" "$method")"); done
echo "seen:     no cache: $plain"
printf '          mod_cache: %s\n' "${seen[@]}"
[[ $plain == 'old, PATCH, new' && ${seen[*]} == 'old, PUT, new old, POST, new old, DELETE, new old, PATCH, old' ]] || { echo 'CHANGED: a PATCH is read behind mod_cache, or another write is not'; exit 1; }
