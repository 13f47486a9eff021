#!/usr/bin/env bash
# wget 1.25.0: a POST (--post-data, --post-file, --method=POST) whose answer is lost is sent again, on new connections, until it has been sent twenty times.
#
# What: --tries is 20 unless it is said otherwise, "with the exception of fatal errors like connection refused", and "No data received" is none, whatever the method is. It waits one second more after each, up to ten
# (--waitretry, which is 0 below so that the script is short). On a kept connection it sends the request once more at once besides. --tries=1 gives up after the first.
# Why it hurts: a server that carries the request out, and dies or is cut off before its answer, as by the time limit of a proxy, carries it out twenty times in three minutes. wget's manual speaks of POST, and of
# retries, and not of the two together.
# Who should care: cron jobs and hooks that post by wget.
# Source: wget's manual, "HTTP Options" and --tries; src/http.c, http_loop(). Needs python3.
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
fetch wget sid wget=1.25.0-3 libc6 libffi8 libgcc-s1 libgmp10 libgnutls30t64 libhogweed6t64 libidn2-0 libnettle8t64 libp11-kit0 libpcre2-8-0 libpsl5t64 libtasn1-6 libunistring5 libuuid1 zlib1g
use wget usr/bin/wget
port=$(free_port)

cat >"$work/server.py" <<'PY'
import socketserver, sys

runs = []


class Kept(socketserver.StreamRequestHandler):
    """It answers the first request of a connection; the next one, and each for /drop, it carries out, and the connection ends, as by a process that dies between the two."""

    def handle(self):
        answered = 0
        while line := self.rfile.readline().decode():
            method, path = line.split()[:2]
            size = 0
            while (header := self.rfile.readline().decode().strip().lower()):
                if header.startswith("content-length:"):
                    size = int(header.split(":")[1])
            self.rfile.read(size)
            body = b"done"
            if path == "/runs":
                body = " ".join(runs).encode()
                runs.clear()
            elif path != "/state":
                runs.append(method)
                if answered or path == "/drop":
                    return
            answered += 1
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Kept).serve_forever()
PY
python3 "$work/server.py" "$port" &
pids+=("$!")
until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"

# post OPTION...: what becomes of a POST whose answer is lost each time, and how often it was carried out.
post() {
  local code=0 runs
  timeout 60 "${cmd[@]}" --no-config --no-proxy -q -O "$work/answer" --waitretry=0 "$@" "http://127.0.0.1:$port/drop" || code=$?
  runs=$("${cmd[@]}" --no-config --no-proxy -q -O - "http://127.0.0.1:$port/runs")
  echo "exit code $code, carried out $(wc -w <<<"$runs") times"
}
seen="--post-data: $(post --post-data=amount=1); --method=PATCH: $(post --method=PATCH --body-data=amount=1); --tries=1: $(post --tries=1 --post-data=amount=1)"
echo 'expected: a POST that the server has carried out, and did not answer, is an error, and carried out once'
echo "seen:     $seen"
often='exit code 4, carried out 20 times'
[ "$seen" = "--post-data: $often; --method=PATCH: $often; --tries=1: exit code 4, carried out 1 times" ] || { echo 'CHANGED: it is carried out once'; exit 1; }
