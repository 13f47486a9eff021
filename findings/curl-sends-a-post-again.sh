#!/usr/bin/env bash
# curl 8.23.0: a POST over a kept connection that the server has carried out, and not answered, is sent again on its own, without --retry, and curl exits with 0.
#
# What: where a connection that was used before ends without a byte of the answer, libcurl sends the request once more over a new one, body and all, whatever the method is. It means connections that the server
# had closed already, and cannot tell them from those that ended after the request was carried out: a process that was killed or deployed anew. On a new connection it is error 52, as one expects.
# Why it hurts: a payment, an increment, a job is made twice, and the caller sees one 200. RFC 9110 forbids it by a MUST NOT unless it is known to be idempotent. No option turns it off, only a connection of its own
# for each such request (CURLOPT_FRESH_CONNECT).
# Who should care: whoever posts by libcurl with one handle: PHP (Guzzle, Symfony), pycurl, SDKs; a script with several URLs in one call of curl.
# Source: RFC 9110, 9.2.2; lib/transfer.c, Curl_retry_request(); an option to forbid it has been asked for since 2025 (curl's pull request 18417). Needs python3.
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
fetch curl sid curl=8.23.0-1 libc6 libcurl4t64=8.23.0-1 libbrotli1 libcom-err2 libgcc-s1 libgssapi-krb5-2 libidn2-0 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libldap2 libnghttp2-14 \
  libnghttp3-9 libngtcp2-16 libngtcp2-crypto-ossl0 libpsl5t64 libsasl2-2 libssh2-1t64 libssl3t64 libunistring5 libzstd1 zlib1g
use curl usr/bin/curl
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

# post BEFORE PATH OPTION...: a GET of BEFORE and then a request, in one call of curl, and how often the latter was carried out.
post() {
  local before=$1 path=$2 code=0 runs
  shift 2
  "${cmd[@]}" -q --noproxy '*' -s -o "$work/state" "$before" --next -s -o "$work/answer" "$@" "http://127.0.0.1:$port/$path" || code=$?
  runs=$("${cmd[@]}" -q --noproxy '*' -s "http://127.0.0.1:$port/runs")
  echo "exit code $code, carried out $(wc -w <<<"$runs") times"
}
kept=http://127.0.0.1:$port/state
seen="POST: $(post "$kept" pay --data amount=1); PATCH: $(post "$kept" pay -X PATCH --data amount=1); POST on a new connection: $(post "file://$work/server.py" drop --data amount=1)"
echo 'expected: a POST that the server has carried out, and did not answer, is an error, and carried out once'
echo "seen:     over a kept connection: $seen"
twice='exit code 0, carried out 2 times'
[ "$seen" = "POST: $twice; PATCH: $twice; POST on a new connection: exit code 52, carried out 1 times" ] || { echo 'CHANGED: it is carried out once, or it is an error'; exit 1; }
