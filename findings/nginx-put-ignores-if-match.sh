#!/usr/bin/env bash
# nginx 1.30.6 as a WebDAV store: it gives an ETag and refuses a GET by If-Match, and overwrites by a PUT whatever If-Match or If-None-Match says.
#
# What: with dav_methods PUT DELETE the conditions of RFC 9110 are looked at for answers with a body only. A PUT with the ETag of another version, a PUT with
# `If-None-Match: *` on a file that is there and a DELETE with a wrong ETag are carried out and answered with 204.
# Why it hurts: it looks like compare-and-set, and a test by GET says that it is; the second of two writers takes the first one's change away, and a lock file is had by both.
# Who should care: who keeps state, locks or leader records as files behind nginx. Its MOVE with `Overwrite: F` is refused where the file is there, with 412.
# Source: RFC 9110, 13.1.1 (If-Match: the method MUST NOT be performed); src/http/modules/ngx_http_not_modified_filter_module.c and ngx_http_dav_module.c.
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
use nginx usr/sbin/nginx
port=$(free_port)
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
  server { listen 127.0.0.1:$port; root $work/files; dav_methods PUT DELETE MOVE; }
}
CONF
"${cmd[@]}" -p "$work" -c "$work/nginx.conf" -e "$work/log" &
pids+=("$!")

# ask METHOD FILE HEADER [BODY]: the status of the answer
ask() {
  local body=${4-} status
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf '%s /%s HTTP/1.0\r\nHost: store\r\n%s\r\nContent-Length: %s\r\n\r\n%s' "$1" "$2" "$3" "${#body}" "$body" >&3
  read -r _ status _ <&3
  cat <&3 >/dev/null
  exec 3>&-
  echo "$status"
}
until_ok eval "(: <>/dev/tcp/127.0.0.1/$port)"

other='If-Match: "6b0bb84f-0"'
created=$(ask PUT state 'Accept: */*' first)
read_other=$(ask GET state "$other")
read_absent=$(ask GET state 'If-None-Match: *')
write_other=$(ask PUT state "$other" second)
after_other=$(cat "$work/files/state")
write_absent=$(ask PUT state 'If-None-Match: *' third)
after_absent=$(cat "$work/files/state")
delete_other=$(ask DELETE state "$other")

echo 'expected: a PUT or DELETE with the ETag of another version in If-Match, or with If-None-Match: * on what is there: 412, and nothing is changed'
echo "seen:     GET: $read_other and $read_absent; PUT with If-Match: $write_other, the file is now '$after_other'; PUT with If-None-Match: $write_absent, the file is now" \
  "'$after_absent'; DELETE: $delete_other"
[[ $created == 201 && $read_other == 412 && $read_absent == 304 ]] || { echo 'CHANGED: reads are answered otherwise'; exit 1; }
[[ $write_other == 204 && $after_other == second && $write_absent == 204 && $after_absent == third && $delete_other == 204 ]] ||
  { echo 'CHANGED: a write is refused'; exit 1; }
