#!/usr/bin/env bash
# Mercurial 7.2.4: `hg push -B NAME` from a clone that is behind moves the bookmark on the server back, from what another one had just pushed to the older changeset. No --force, no warning.
#
# What: a bookmark that is named with -B is set to where it is here, be that older or on another line of history; only a push without -B leaves alone what is newer there. The exit code is 1, "no changes found", as
# for each push that sends no changesets, and the message is "updating bookmark". git refuses the same as no fast-forward.
# Why it hurts: what was released or deployed by the bookmark goes back to a former state, by a push of somebody who had nothing to push.
# Who should care: who marks releases, deployments or branches by bookmarks, or claims by them. Pull before, or push without -B.
# Source: mercurial/exchange.py, _processcompared(): "search for overwritten bookmark"; `hg help push`. Needs chroot.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
root=$work/hg
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch hg sid mercurial=7.2.4-2+b1 mercurial-common=7.2.4-2 python3.14 python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libc6 zlib1g libexpat1 libsqlite3-0 libssl3t64 libffi8 libbz2-1.0 liblzma5 libzstd1 libgcc-s1 libuuid1 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3

# hg FOLDER ARGUMENT...
hg() {
  env -i PATH=/usr/bin:/usr/sbin HOME=/tmp HGPLAIN=1 HGRCPATH= HGUSER="$1" HGENCODING=UTF-8 PYTHONPATH=/usr/lib/python3/dist-packages timeout 60 chroot "$root" /usr/bin/python3.14 /usr/bin/hg --cwd "/tmp/$1" "${@:2}"
}
at() { hg server log -r 'bookmark(release)' -T '{desc}'; }

mkdir "$root"/tmp/{server,ann,bob}
{
  hg server init .
  echo one >"$root/tmp/server/file"
  hg server commit -A -m 'version 1'
  hg server bookmark release
  hg server update null
  for name in ann bob; do
    rmdir "$root/tmp/$name"
    hg server clone . "/tmp/$name"
  done
  hg ann update release
  echo two >"$root/tmp/ann/file"
  hg ann commit -m 'version 2'
  hg ann push -B release
} >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }

pushed=$(at)
code=0
hg bob push >>"$work/log" 2>&1 || code=$?
plain="$(at) (exit code $code)"
code=0
hg bob push -B release >"$work/said" 2>&1 || code=$?
back="$(at) (exit code $code, \"$(tail -1 "$work/said")\")"
(cd "$root/tmp" && rm -rf ann bob server)

echo 'expected: a push of a bookmark from a clone that has only its older changeset is refused, or leaves it where it is'
echo "seen:     ann has pushed \"release\": $pushed; after a plain push of bob's, who is behind: $plain; after his push -B release: $back"
[[ "$pushed $plain $back" == 'version 2 version 2 (exit code 1) version 1 (exit code 1, '*updating* ]] || { echo 'CHANGED: the bookmark stays where it was'; cat "$work/said"; exit 1; }
