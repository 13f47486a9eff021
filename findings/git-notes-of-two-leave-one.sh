#!/usr/bin/env bash
# git 2.55.0: a note that another one adds while the editor of `git notes add` is open is removed again by it: exit code 0, and the history of the notes has both as commits, the later one without the earlier note.
#
# What: the tree of all notes is read when the command begins, and written, with its own note in it, onto whatever refs/notes/commits is at the end: the ref is set without a look at what it was. The notes need not be
# of the same commit. `git commit` in the same case is refused, since HEAD is not what it was ("cannot lock ref").
# Why it hurts: a result of a test, a sign-off or a review that was acknowledged with 0 is gone, and no one is told. Without an editor the time between is short, and the same: jobs of CI that note at once.
# Who should care: who keeps results, builds or reviews in notes of one repository. A ref of notes for each writer, and `git notes merge`, lose nothing.
# Source: notes-utils.c, commit_notes(): the ref is updated without its old value; git-notes(1). Needs chroot.
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
# git starts programs of its own: it lives in a folder with the libraries of its release.
root=$work/git
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch git sid git=1:2.55.0-1 libc6 dash libpcre2-8-0 zlib1g libselinux1
mknod -m 666 "$root/dev/null" c 1 3

git() {
  env -i PATH=/usr/bin:/usr/sbin HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=ann GIT_AUTHOR_EMAIL=- GIT_COMMITTER_NAME=ann GIT_COMMITTER_EMAIL=- GIT_EDITOR="/tmp/editor" \
    timeout 30 chroot "$root" git -C /tmp/project "$@" 2>>"$work/log"
}
told() { if "$@" >>"$work/log"; then echo 'exit code 0'; else echo refused; fi; }

mkdir "$root/tmp/project"
# Somebody else is done while the editor is open.
cat >"$root/tmp/editor" <<'EDITOR'
#!/bin/sh
if [ -e /tmp/commits ]; then git commit -q --allow-empty -m 'from bob'; else git notes add -m 'from bob' HEAD~1 && echo done >/tmp/bob; fi
echo 'from ann' >"$1"
EDITOR
chmod +x "$root/tmp/editor"
{
  git init -b main
  git commit --allow-empty -m one
  git commit --allow-empty -m two
} >>"$work/log" || { cat "$work/log" >&2; exit 2; }

ann=$(told git notes add HEAD)
bob=$(cat "$root/tmp/bob" 2>/dev/null || echo refused)
hers=$(git notes show HEAD || echo nothing)
his=$(git notes show HEAD~1 || echo nothing)
touch "$root/tmp/commits"
commit=$(told git commit --allow-empty)

echo 'expected: two that add notes to two commits at the same time have both of them, or one is refused, as by git commit'
echo "seen:     ann: $ann; bob, while her editor was open: $bob; the notes: \"$hers\" of hers, \"$his\" of his"
echo "          git commit of ann's, while bob commits: $commit"
[ "$ann, $bob, $hers, $his, $commit" = 'exit code 0, done, from ann, nothing, refused' ] || { echo 'CHANGED: both notes are there, or one is refused'; tail -5 "$work/log"; exit 1; }
