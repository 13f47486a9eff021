#!/usr/bin/env bash
# python3-caldav 1.3.9: event.save() of a copy that was read before another one changed the event is made: what he changed is gone, with if_schedule_tag_match=True as well; the server refuses such a PUT where it is asked to.
#
# What: the ETag is fetched and kept with the object, and no PUT has If-Match; nothing reads the argument if_schedule_tag_match. A DELETE of an outdated copy goes the same way.
# Why it hurts: a calendar is what several programs and people write: a bot that moves a meeting takes back the room, or the guests, that somebody has added since it looked, and is told nothing.
# Who should care: bots and syncs over CalDAV in Python. client.put(url, data, {"If-Match": etag}) by hand, which raises where it is refused; load() right before save() makes the gap small.
# Source: caldav/objects.py, CalendarObjectResource.save() and _put(); RFC 4791, 5.3.4, has ETags for this. Seen with Radicale 3.8.3. Needs chroot.
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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
root=$work/python
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,etc}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch python sid python3-caldav=1.3.9-1.3 python3-radicale=3.8.3+ds-1 python3-icalendar python3-lxml python3-pytz python3-recurring-ical-events python3-requests python3-tzlocal python3-vobject python3-dateutil \
  python3-x-wr-timezone python3-click python3-typing-extensions python3-defusedxml python3-passlib python3-pika python3-urllib3 python3-certifi python3-idna python3-charset-normalizer python3-six libxml2-16 libxslt1.1 libgcrypt20 libgpg-error0 \
  python3.14 python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libc6 zlib1g libexpat1 libsqlite3-0 libssl3t64 libffi8 libbz2-1.0 liblzma5 libzstd1 libgcc-s1 libuuid1 libcrypt1 tzdata
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mkdir -m 1777 "$root/dev/shm"
echo 'root:x:0:0:root:/tmp:/bin/sh' >"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
port=$(free_port)

inside() { env -i PATH=/usr/bin:/usr/sbin HOME=/tmp TZ=UTC PYTHONPATH=/usr/lib/python3/dist-packages timeout 60 chroot "$root" /usr/bin/python3.14 "$@"; }
printf '[server]\nhosts = 127.0.0.1:%s\n[auth]\ntype = none\n[storage]\nfilesystem_folder = /tmp/calendars\n' "$port" >"$root/tmp/radicale"
# By the program itself, which is ended by its id: a function would be a process of its own above it.
env -i PATH=/usr/bin:/usr/sbin HOME=/tmp TZ=UTC PYTHONPATH=/usr/lib/python3/dist-packages chroot "$root" /usr/bin/python3.14 -m radicale --config /tmp/radicale >"$work/server" 2>&1 &
pids+=("$!")
for _ in $(seq 100); do
  if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then ready=yes; break; fi
  sleep 0.2
done
[[ ${ready:-} == yes ]] || { tail -n 3 "$work/server" >&2; exit 2; }

cat >"$root/tmp/run.py" <<'PY'
import importlib.metadata
import sys

import caldav

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261201T000000Z
DTSTART:20261201T100000Z
DTEND:20261201T110000Z
SUMMARY:{summary}
LOCATION:{location}
END:VEVENT
END:VCALENDAR
"""


def calendar():
    """A client of its own, as another program has one."""
    client = caldav.DAVClient(url=url, username="ann", password="ann")
    return client.principal().calendars()[0]


def outdated(uid, save):
    """What ann is told of a change to what she read before bob gave the meeting a room, and the room that is stored then."""
    calendar().save_event(EVENT.format(uid=uid, summary="meeting", location="none"))
    mine, his = calendar().event_by_uid(uid), calendar().event_by_uid(uid)
    etag = mine.client.request(str(mine.url)).headers["ETag"]
    his.data = EVENT.format(uid=uid, summary="meeting", location="room 7")
    his.save()
    mine.data = EVENT.format(uid=uid, summary="moved by ann", location="none")
    try:
        save(mine, etag)
        told = "accepted"
    except caldav.lib.error.DAVError as error:
        told = f"{type(error).__name__}"
    stored = [line[9:] for line in calendar().event_by_uid(uid).data.splitlines() if line.startswith("LOCATION:")]
    return f"{told}, stored: {stored[0]}"


def conditional(mine, etag):
    status = mine.client.put(str(mine.url), mine.data, {"Content-Type": "text/calendar", "If-Match": etag}).status
    if status == 412:
        raise caldav.lib.error.PutError()


url = sys.argv[1]
caldav.DAVClient(url=url, username="ann", password="ann").principal().make_calendar(name="team")
seen = {
    "save()": outdated("one", lambda mine, etag: mine.save()),
    "save(if_schedule_tag_match=True)": outdated("two", lambda mine, etag: mine.save(if_schedule_tag_match=True)),
    "PUT with If-Match": outdated("three", conditional),
}
print(f"caldav {importlib.metadata.version('caldav')}, Radicale {importlib.metadata.version('radicale')}, Python {sys.version.split()[0]}")
print("expected: an outdated copy is refused, and the room that bob gave is stored")
for way, line in seen.items():
    print(f"seen:     {way}: {line}")
holds = list(seen.values()) == ["accepted, stored: none", "accepted, stored: none", "PutError, stored: room 7"]
if not holds:
    print("CHANGED: an outdated copy is refused")
sys.exit(0 if holds else 4)
PY
code=0
inside /tmp/run.py "http://127.0.0.1:$port/" 2>"$work/log" || code=$?
if ((code != 0 && code != 4)); then tail -n 5 "$work/log" "$work/server" >&2; exit 2; fi
((code == 0))
