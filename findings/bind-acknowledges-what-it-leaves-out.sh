#!/usr/bin/env bash
# BIND 9.20.30: a dynamic update that adds an address where a CNAME is, or a CNAME where an address is, is answered NOERROR, nsupdate exits with 0, and nothing is stored.
#
# What: an update that would put a CNAME beside other data is left out in silence, and the rest of its message is made; the server's log has a line. The same goes for the deletion of a zone's last NS.
# What is refused is a prerequisite that does not hold, so that the answer looks like one that means something.
# Why it hurts: a service registers itself, is told that it did, and cannot be found, or the move of a name from one host to another half happens: the old data goes on being answered.
# Of one message, two of three changes are made, which is sold as atomic.
# Who should care: who registers hosts, certificates' challenges or leaders by dynamic updates. Delete the other type in the same message, or ask for its absence as a prerequisite
# (nxrrset NAME CNAME), and read the record back.
# Source: RFC 2136, 3.4.2.2 (such an update is silently ignored), bin/named and lib/ns/update.c of BIND.
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

fetch bind sid bind9=1:9.20.30-1 bind9-libs=1:9.20.30-1 bind9-dnsutils=1:9.20.30-1 libc6 libcap2 libcom-err2 libedit2 libfstrm0 libgcc-s1 libgssapi-krb5-2 libbsd0 libicu78 libidn2-0 libjemalloc2 libjson-c5 \
  libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblmdb0 liblzma5 libmaxminddb0 libmd0 libnghttp2-14 libprotobuf-c1 libreadline8t64 libssl3t64 libstdc++6 libtinfo6 libunistring5 liburcu8t64 libuv1t64 \
  libxml2-16 libzstd1 zlib1g
libc=$(dirname "$(find "$work/bind" -name libc.so.6 -print -quit)")
loader=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/bind/usr/lib/${libc##*/}")
port=$(free_port)
mkdir "$work/zones"
cat >"$work/conf" <<CONF
options { directory "$work/zones"; listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none; recursion no; dnssec-validation no; };
controls { };
zone "example" { type primary; file "example"; allow-update { 127.0.0.1; }; notify no; };
CONF
cat >"$work/zones/example" <<ZONE
\$TTL 60
@ SOA ns.example. root.example. 1 3600 600 86400 60
@ NS ns.example.
ns A 127.0.0.1
moved CNAME ns.example.
app A 10.0.0.1
ZONE
"${loader[@]}" "$work/bind/usr/sbin/named" -g -c "$work/conf" >"$work/log" 2>&1 &
pids+=("$!")
# ask NAME TYPE: what is answered, without the names
ask() { "${loader[@]}" "$work/bind/usr/bin/dig" @127.0.0.1 -p "$port" +norecurse +noall +answer "$1.example" "$2" | awk '{ print $4, $5 }' | xargs; }
has() { [[ $(ask "$1" "$2") == "$3" ]]; }
# update LINE...: sends the lines as one message, and says how nsupdate ends
update() {
  local code=0
  { echo "server 127.0.0.1 $port"; echo 'zone example'; printf '%s\n' "$@" send; } | "${loader[@]}" "$work/bind/usr/bin/nsupdate" -v >"$work/update" 2>&1 || code=$?
  echo "exit code $code"
}
until_ok has app A 'A 10.0.0.1'

address=$(update 'update add moved.example. 60 A 10.0.0.2')
alias=$(update 'update add job.example. 60 TXT "moves"' 'update add app.example. 60 CNAME ns.example.')
refused=$(update 'prereq nxrrset moved.example. CNAME' 'update add moved.example. 60 A 10.0.0.2')
both=$(update 'update delete moved.example. CNAME' 'update add moved.example. 60 A 10.0.0.3')

echo "version: $("${loader[@]}" "$work/bind/usr/sbin/named" -V | head -n 1)"
echo 'expected: an update that cannot be made is refused, and all of its message with it'
echo "seen:     add an A where a CNAME is: $address; add a TXT elsewhere, and a CNAME where an A is: $alias; the TXT is there: $(ask job TXT), the CNAME is not: only $(ask app A);"
echo "          add an A with \"no CNAME\" as a prerequisite: $refused; delete the CNAME and add the A: $both, then $(ask moved A)"
[[ $refused == 'exit code 2' && $both == 'exit code 0' && $(ask moved A) == 'A 10.0.0.3' ]] || { echo 'CHANGED: a prerequisite is not kept, or both in one message are not made'; exit 1; }
[[ $address == 'exit code 0' && $alias == 'exit code 0' && $(ask job TXT) == 'TXT moves' && $(ask app A) == 'A 10.0.0.1' && -z $(ask app CNAME) ]] || { echo 'CHANGED: the update is refused, or made'; exit 1; }
