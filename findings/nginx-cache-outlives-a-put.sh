#!/usr/bin/env bash
# nginx 1.30.6: a PUT or DELETE that goes through proxy_cache leaves the stored answer of its URL valid: who wrote reads what was before.
#
# What: RFC 9111 has a cache invalidate what it stored under a URL when an unsafe request to it succeeds, and the writer's next GET then is the new state. nginx hands the PUT on
# and keeps the entry until its age is over, up to and including what was deleted. HAProxy, set up in the same way, drops it.
# Why it hurts: behind such a proxy nobody reads his own write, and the ETag that a client reads for its next If-Match is the outdated one: refused, read again, refused, until
# max-age. The open source edition has no directive to purge an entry from the outside either.
# Who should care: who puts proxy_cache before something that is written, too. proxy_cache_bypass only helps the reader who asks for it.
# Source: RFC 9111, section 4.4; nginx's documentation of proxy_cache and proxy_cache_methods, which speaks of what is stored, not of what is dropped.
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

fetch nginx sid nginx=1.30.6-2 libc6 libcrypt1 libpcre2-8-0 libssl3t64 libzstd1 zlib1g
fetch haproxy sid haproxy=3.2.26-1 libc6 libcrypt1 libgcc-s1 libjemalloc2 liblua5.4-0 libopentracing-c-wrapper0t64 libopentracing1 libpcre2-8-0 libssl3t64 libstdc++6 libzstd1 zlib1g
origin=$(free_port)
behind_nginx=$(free_port)
behind_haproxy=$(free_port)
mkdir -p "$work/files" "$work/temp"
cat >"$work/nginx.conf" <<CONF
daemon off;
master_process off;
pid $work/pid;
error_log $work/log;
events {}
http {
  access_log off;
  client_body_temp_path $work/temp/body;
  proxy_temp_path $work/temp/proxy;
  fastcgi_temp_path $work/temp/fastcgi;
  uwsgi_temp_path $work/temp/uwsgi;
  scgi_temp_path $work/temp/scgi;
  proxy_cache_path $work/stored keys_zone=states:1m;
  server { listen 127.0.0.1:$origin; root $work/files; dav_methods PUT DELETE; add_header Cache-Control max-age=600; }
  server {
    listen 127.0.0.1:$behind_nginx;
    location / { proxy_pass http://127.0.0.1:$origin; proxy_cache states; }
  }
}
CONF
cat >"$work/haproxy.cfg" <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
cache states
  total-max-size 4
frontend front
  bind 127.0.0.1:$behind_haproxy
  http-request cache-use states
  http-response cache-store states
  default_backend origin
backend origin
  server origin 127.0.0.1:$origin
CONF
use nginx usr/sbin/nginx
"${cmd[@]}" -p "$work" -c "$work/nginx.conf" -e "$work/log" &
pids+=("$!")
use haproxy usr/sbin/haproxy
"${cmd[@]}" -db -q -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
pids+=("$!")

# ask PORT METHOD FILE [BODY]: the status of the answer, and its last line
ask() {
  local body=${4-} status line last=
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf '%s /%s HTTP/1.1\r\nHost: store\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s' "$2" "$3" "${#body}" "$body" >&3
  read -r _ status _ <&3
  while IFS= read -r line || [ -n "$line" ]; do last=$line; done <&3
  exec 3>&-
  if [ "$2" = GET ] && [ "$status" = 200 ]; then echo "$status $last"; else echo "$status"; fi
}
for port in "$origin" "$behind_nginx" "$behind_haproxy"; do until_ok eval "(: <>/dev/tcp/127.0.0.1/$port)"; done

# through PORT FILE: what is told and read of a file that was put, read, overwritten, read, deleted and read again
through() {
  local told=()
  told+=("$(ask "$1" PUT "$2" old)" "$(ask "$1" GET "$2")" "$(ask "$1" PUT "$2" new)" "$(ask "$1" GET "$2")" "$(ask "$1" DELETE "$2")" "$(ask "$1" GET "$2")")
  echo "PUT ${told[0]}, GET ${told[1]}, PUT ${told[2]}, GET ${told[3]}, DELETE ${told[4]}, GET ${told[5]}"
}
none=$(through "$origin" none)
haproxy=$(through "$behind_haproxy" haproxy)
nginx=$(through "$behind_nginx" nginx)
echo 'expected: after a PUT of "new" GET says new, after a DELETE 404'
echo "seen:     no cache: $none"
echo "          HAProxy:  $haproxy"
echo "          nginx:    $nginx"
[[ $none == 'PUT 201, GET 200 old, PUT 204, GET 200 new, DELETE 204, GET 404' && $haproxy == "$none" ]] || { echo 'CHANGED: without nginx it is otherwise'; exit 1; }
[[ $nginx == 'PUT 201, GET 200 old, PUT 204, GET 200 old, DELETE 204, GET 200 old' ]] || { echo 'CHANGED: a write is read behind nginx'; exit 1; }
