#!/usr/bin/env bash
# git 2.55.0: a push with --force-with-lease=NAME: ("must not exist") succeeds where the ref exists, if it points to the same commit: a lock that two runs of one commit take is held by both.
#
# What: before it looks at the lease, a push leaves out every ref that has the new value already: "Everything up-to-date", exit code 0. This holds for any expectation, a wrong object as well. `git update-ref`
# with an expected value looks at it in each case, and refuses.
# Why it hurts: a ref as a lock, or as a claim ("who deploys this commit", "who makes this release"), taken by `git push origin HEAD:refs/locks/deploy`, is most wanted by runs of the same commit: two jobs of one
# pipeline, a job that was started twice. Each is told that it has it. With another commit the push is refused, as every test will show that uses two commits.
# Who should care: who locks, elects or claims by refs. Push a commit that nobody else can have (a `git commit-tree` with an id of its own in the message), or read the porcelain output: `=` is not `*`.
# Source: remote.c, set_ref_status_for_push(). The manual says of the lease that it protects a ref "if it is going to be updated", and of an empty expectation that the ref "must not already exist".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
# git starts programs of its own: it lives in a folder with the libraries of its release.
root=$work/git
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch git sid git=1:2.55.0-1 libc6 dash libpcre2-8-0 zlib1g libselinux1
mknod -m 666 "$root/dev/null" c 1 3

# git FOLDER ARGUMENT...: as a user of the name of the folder
git() {
  env -i PATH=/usr/bin:/usr/sbin HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME="$1" GIT_AUTHOR_EMAIL=- GIT_COMMITTER_NAME="$1" GIT_COMMITTER_EMAIL=- \
    timeout 30 chroot "$root" git -C "/tmp/$1" "${@:2}" >>"$work/log" 2>&1
}
told() { if "$@"; then echo accepted; else echo refused; fi; }

mkdir "$root"/tmp/{server,ann,bob}
{
  git server init --bare -b main
  git ann init -b main
  git ann commit --allow-empty -m 'the release'
  git ann push ../server main
  git bob clone ../server .
} || { cat "$work/log" >&2; exit 2; }
lock=refs/locks/deploy

ann=$(told git ann push --force-with-lease=$lock: ../server "main:$lock")
bob=$(told git bob push --force-with-lease=$lock: ../server "main:$lock")
wrong=$(told git bob push --force-with-lease=$lock:1234567890123456789012345678901234567890 ../server "main:$lock")
updated=$(told git server update-ref $lock main 0000000000000000000000000000000000000000)
git bob commit --allow-empty -m 'another one'
other=$(told git bob push --force-with-lease=$lock: ../server "main:$lock")

echo 'expected: a push with the lease that the ref must not exist is accepted once'
echo "seen:     ann's is $ann; bob's, of the same commit, is $bob; with the lease that the ref be another object: $wrong"
echo "          \`update-ref\` with the same condition is $updated; bob's push of another commit is $other"
[[ "$ann $bob $wrong $updated $other" == 'accepted accepted accepted refused refused' ]] || { echo 'CHANGED: the lease is looked at'; tail -5 "$work/log"; exit 1; }
