#!/usr/bin/env bash
# Apache 2.4.68: for a second after a write no conditional PUT can succeed: the ETag that the server itself gives is refused with 412.
#
# What: while a file is younger than a second, its ETag is a weak one, W/"...", since it may still change within the resolution of its
# time. If-Match compares strongly, and a weak ETag is equal to nothing then, itself included. mod_dav asks for it before the PUT.
# Why it hurts: write, read, write again, each with the ETag just read: the only writer is told that another one was first. Who tries
# again, as one does, runs in circles for a second after each write; who gives up after three tries has lost his update. A counter that
# is in demand moves about once a second, however many try. Taking off the W/ helps once the second is over.
# Who should care: who has state, locks or calendars in WebDAV with If-Match. Wait for a second, or use LOCK.
# Source: modules/http/http_etag.c (weak within a second of the request), server/protocol conditions in modules/http/http_protocol.c
# (ap_condition_if_match compares strongly); RFC 9110, section 13.1.1.
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

fetch apache bookworm apache2-bin=2.4.68-1~deb12u1 libc6 libapr1 libaprutil1 libpcre2-8-0 libexpat1 libcrypt1 libuuid1 libdb5.3
use apache usr/sbin/apache2
port=$(free_port)
chmod 755 "$work"
mkdir "$work/files" "$work/run"
chmod 777 "$work/files" "$work/run"
cat >"$work/conf" <<END
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile run/pid
ErrorLog run/log
LoadModule mpm_event_module $work/apache/usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module $work/apache/usr/lib/apache2/modules/mod_authz_core.so
LoadModule dav_module $work/apache/usr/lib/apache2/modules/mod_dav.so
LoadModule dav_fs_module $work/apache/usr/lib/apache2/modules/mod_dav_fs.so
DavLockDB run/locks
DocumentRoot $work/files
<Directory $work/files>
  Dav On
  Require all granted
</Directory>
User www-data
Group www-data
END
# In one process; it looks for the driver of its lock database in this path, too.
LD_LIBRARY_PATH=${cmd[2]} "${cmd[@]}" -f "$work/conf" -X >"$work/out" 2>&1 &
pids+=("$!")

# ask METHOD HEADER BODY: what the server answers, without carriage returns
ask() {
  {
    printf '%s /counter HTTP/1.0\r\n%sContent-Length: %s\r\n\r\n%s' "$1" "${2:+$2$'\r\n'}" "${#3}" "$3" >&3
    tr -d '\r' <&3
  } 3<>"/dev/tcp/127.0.0.1/$port"
}
put() { ask PUT "$1" "$2" | awk 'NR == 1 { print $2 }'; }
etag() { ask GET '' '' | awk 'tolower($1) == "etag:" { print $2 }'; }

for _ in $(seq 100); do
  if [[ $(put '' start 2>/dev/null) == 20? ]]; then ready=yes; break; fi
  sleep 0.2
done
[[ ${ready:-} == yes ]] || { tail -n 3 "$work/out" "$work/run/log" >&2; exit 2; }

weak=0 refused=0
for round in 1 2 3 4 5; do
  put '' "written $round" >/dev/null
  given=$(etag)
  # A machine that was held up for a second has another answer.
  [[ $given == W/* ]] || continue
  weak=$((weak + 1))
  [[ $(put "If-Match: $given" "again $round") == 204 ]] || refused=$((refused + 1))
done
sleep 2.5
settled=$(put "If-Match: $(etag)" 'after two seconds')
outdated=$(put 'If-Match: "outdated"' 'not to be')

echo 'expected: PUT, GET, and a PUT with the ETag of this GET as If-Match: 204'
echo "seen:     of 5 times the ETag was weak $weak times, and refused $refused times"
echo "          two seconds after the PUT: $settled; with another ETag: $outdated"
((weak > 0)) || { echo 'this machine was too slow to look'; exit 2; }
((refused == weak)) || { echo 'CHANGED: the ETag that was given is accepted'; exit 1; }
[[ $settled == 204 && $outdated == 412 ]] || { echo 'CHANGED: conditions are another'; exit 1; }
