#!/usr/bin/env bash
# Furl 3.15 (Perl) and httpclient 2.9.0 (Ruby): a POST over a kept connection that the server has carried out, and not answered, is sent again on its own; the caller sees one 200.
#
# What: both keep connections by default, and where one that was used before ends without an answer they send the request once more over a new one, whatever its method is, as curl does. HTTP::Tiny (Perl) and
# Net::HTTP (Ruby) send again only what is idempotent: there the POST is an error.
# Why it hurts: a server that is deployed anew, or dies, between carrying a request out and answering it makes the payment, the increment or the job twice. RFC 9110 forbids it by a MUST NOT.
# Who should care: who posts by them. Furl: `Connection: close` with each such request; httpclient: a client of its own for each.
# Source: RFC 9110, 9.2.2; Furl/HTTP.pm, "the server closes the connection"; httpclient.rb, KeepAliveDisconnected. Needs chroot and python3.
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

for tool in chroot python3; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# perl and ruby of the release live in a folder with their libraries.
root=$work/both
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,etc}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch both sid libfurl-perl=3.15-1 ruby-httpclient=2.9.0-1 libclass-accessor-lite-perl libhttp-parser-xs-perl perl-base perl-modules-5.42 libperl5.42 ruby3.3 libruby3.3 ruby-http-cookie ruby-domain-name ruby-unf \
  ruby-webrick rubygems-integration ruby-rubygems libc6 libcrypt1 libffi8 libgcc-s1 libgmp10 libssl3t64 libyaml-0-2 libzstd1 zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
echo '127.0.0.1 localhost' >"$root/etc/hosts"
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

# Each of them: a GET, and then a POST over the same connection; what the POST is answered.
cat >"$root/tmp/furl.pl" <<'PL'
use strict;
use Furl;
my $client = Furl->new;
$client->get("$ARGV[0]/state");
print $client->post("$ARGV[0]/pay", [], 'amount=1')->code;
PL
cat >"$root/tmp/tiny.pl" <<'PL'
use strict;
use HTTP::Tiny;
my $client = HTTP::Tiny->new;
$client->get("$ARGV[0]/state");
print $client->post("$ARGV[0]/pay", { content => 'amount=1' })->{status};
PL
cat >"$root/tmp/httpclient.rb" <<'RB'
require 'httpclient'
client = HTTPClient.new
client.get("#{ARGV[0]}/state")
print((client.post("#{ARGV[0]}/pay", 'amount=1').status rescue 'an error'))
RB
cat >"$root/tmp/net.rb" <<'RB'
require 'net/http'
uri = URI(ARGV[0])
Net::HTTP.start(uri.host, uri.port) do |client|
  client.get('/state')
  print((client.post('/pay', 'amount=1').code rescue 'an error'))
end
RB
post() {
  local answer
  answer=$(env -i PATH=/usr/bin:/usr/sbin HOME=/tmp LC_ALL=C timeout 60 chroot "$root" "$1" "/tmp/$2" "http://127.0.0.1:$port" 2>>"$work/log") || { tail -5 "$work/log" >&2; exit 2; }
  echo "$answer, carried out $(python3 -c 'import sys, urllib.request as u; print(len(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().split()))' "http://127.0.0.1:$port/runs") times"
}
furl=$(post /usr/bin/perl furl.pl)
tiny=$(post /usr/bin/perl tiny.pl)
client=$(post /usr/bin/ruby3.3 httpclient.rb)
net=$(post /usr/bin/ruby3.3 net.rb)

echo 'expected: a POST that the server has carried out, and did not answer, is an error, and carried out once'
echo "seen:     Furl: $furl; HTTP::Tiny: $tiny; httpclient: $client; Net::HTTP: $net"
twice='200, carried out 2 times'
[[ "$furl; $client" == "$twice; $twice" && "$tiny; $net" == '599, carried out 1 times; an error, carried out 1 times' ]] || { echo 'CHANGED: it is carried out once, or by the others twice'; exit 1; }
