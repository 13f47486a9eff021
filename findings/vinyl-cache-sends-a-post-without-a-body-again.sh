#!/usr/bin/env bash
# Vinyl Cache 9.0.1 (Varnish until this year): a POST without a body that the backend has carried out is sent to it again, and its client is told 200 once.
#
# What: where a backend ends a kept connection before it has answered, as a process that is stopped or has crashed does, the request is sent once more over another one. That is
# asked for GET; here it is done for every method, as long as the request has no body: `POST /orders/7/cancel`, `POST /counter/increment`, DELETE. With a body it is a 503.
# Why it hurts: the increment is made twice, and the client sees one 200. RFC 9110 forbids it to a proxy by a MUST NOT. In the same place nginx 1.22 sends PUT and DELETE again, but
# no POST, and Caddy 2.6 nothing. That a POST is passed, and not cached, changes nothing. A backend that ends each connection after its answer is safe.
# Who should care: who has an API behind it whose actions are POSTs without a body.
# Source: RFC 9110, 9.2.2; bin/vinyld/cache/cache_backend.c ("extrachance").
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

fetch vinyl sid vinyl-cache=9.0.1-4 libvinylapi3 libc6 libedit2 libjemalloc2 libpcre2-8-0 libtinfo6 libncursesw6 libbsd0 libmd0 libgcc-s1 libstdc++6 zlib1g
command -v gcc node >/dev/null || { echo 'it needs gcc, with which the cache makes its configuration a program, and node' >&2; exit 2; }
use vinyl usr/sbin/vinyld
cmd[2]+=:${cmd[2]##*:}/vinyl-cache
backend=$(free_port)
until port=$(free_port) && [ "$port" != "$backend" ]; do :; done

cat >"$work/ask.mjs" <<'JS'
import http from 'node:http';
import net from 'node:net';

const [backend, port] = process.argv.slice(2).map(Number);
const runs = [];
// It answers the first request of a connection; the next one it carries out, and the connection ends then, as by a process that dies between the two.
net.createServer((socket) => {
  let text = '';
  let answered = 0;
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes;
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [method, path] = text.split(' ');
    const size = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < end + 4 + size) return;
    text = text.slice(end + 4 + size);
    if (path !== '/state') runs.push(method);
    answered += 1;
    if (answered > 1) socket.destroy();
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: no-store\r\n\r\ndone');
  });
}).listen(backend, '127.0.0.1');

const ask = (method, path, body = '') =>
  new Promise((resolve, reject) => {
    const headers = method === 'GET' ? {} : { 'content-length': body.length };
    const request = http.request({ host: '127.0.0.1', port, method, path, headers }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
    request.on('error', reject).end(body);
  });

for (let tries = 0; ; tries += 1) {
  if ((await ask('GET', '/state').catch(() => 0)) === 200) break;
  if (tries === 300) process.exit(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const seen = [];
for (const [method, body] of [['POST', ''], ['POST', '{}'], ['DELETE', ''], ['GET', '']]) {
  runs.length = 0;
  // A kept connection that has answered once. The one before it has ended.
  await ask('GET', '/state');
  const status = await ask(method, '/counter/increment', body);
  seen.push(`${method}${body && ' with a body'}: ${status}, carried out ${runs.length} times`);
}
console.log(seen.join('; '));
process.exit(0);
JS

"${cmd[@]}" -F -n "$work/state" -a "127.0.0.1:$port" -b "127.0.0.1:$backend" -j none >"$work/log" 2>&1 &
pids+=("$!")
seen=$(node "$work/ask.mjs" "$backend" "$port") || { cat "$work/log" >&2; exit 2; }

echo 'expected: a POST that the backend has carried out, and did not answer, is answered with an error, and carried out once; a GET is sent again'
echo "seen:     $seen"
[[ $seen == 'POST: 200, carried out 2 times; POST with a body: 503, carried out 1 times; DELETE: 200, carried out 2 times; GET: 200, carried out 2 times' ]] ||
  { echo 'CHANGED: other requests are sent again'; exit 1; }
