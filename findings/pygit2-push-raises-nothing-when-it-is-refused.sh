#!/usr/bin/env bash
# pygit2 1.19.3 and dulwich 1.2.17: a push that the server refuses raises nothing: remote.push() returns None as for one that was accepted, porcelain.push() writes "successful", and then "failed", to a stream.
#
# What: what a server says of each ref (a hook that declines, a branch that another one has moved meanwhile, a protected one) libgit2 gives to a callback, RemoteCallbacks.push_update_reference(), and to nobody else.
# Only what the client sees by itself before it sends is an error. In dulwich it is in ref_status, which porcelain.push() prints. `git push` exits with 1.
# Why it hurts: the commit is nowhere but here, and the program goes on as if it were published: what is deleted after the push is gone; of two that push a claim both go on.
# Who should care: bots, deployments, stores of records over git in Python. In pygit2 the callback has to raise; in dulwich send_pack()'s ref_status has to be read. GitPython's manual tells of raise_if_error().
# Source: pygit2/callbacks.py, push_update_reference(); dulwich/porcelain, push(). Needs chroot.
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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
# Python and git of the release live in a folder with their libraries.
root=$work/git
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,etc}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch git sid python3-pygit2=1.19.3-1+b2 python3-dulwich=1.2.17-1+b1 git=1:2.55.0-1 python3-cffi-backend python3-urllib3 python3-typing-extensions libgit2-1.9 libcom-err2 libgssapi-krb5-2 libk5crypto3 libkeyutils1 \
  libkrb5-3 libkrb5support0 libllhttp9.4 libpcre2-8-0 libssh2-1t64 libselinux1 dash python3.14 python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libc6 zlib1g libexpat1 libsqlite3-0 libssl3t64 libffi8 libbz2-1.0 liblzma5 libzstd1 libgcc-s1 libuuid1 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mkdir -p "$root"/{etc,usr/lib}/ssl/certs
echo 'root:x:0:0:root:/tmp:/bin/sh' >"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
port=$(free_port)

inside() {
  env -i PATH=/usr/bin:/usr/sbin HOME=/tmp GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=ann GIT_AUTHOR_EMAIL=- GIT_COMMITTER_NAME=ann GIT_COMMITTER_EMAIL=- PYTHONPATH=/usr/lib/python3/dist-packages \
    timeout 60 chroot "$root" "$@"
}
mkdir -p "$root"/tmp/{git,served/server}
{
  inside git config --global --add safe.directory '*'
  inside git -C /tmp/served/server init --bare -b main
  inside git -C /tmp/git init -b main
  inside git -C /tmp/git commit --allow-empty -m one
  inside git -C /tmp/git push /tmp/served/server main
} >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
# From here on nothing is accepted any more.
mkdir -p "$root/tmp/served/server/hooks"
printf '#!/bin/sh\nexit 1\n' >"$root/tmp/served/server/hooks/pre-receive"
chmod +x "$root/tmp/served/server/hooks/pre-receive"
# By the program itself: `git daemon` would start it as a child, which outlives it.
env -i PATH=/usr/bin:/usr/sbin HOME=/tmp chroot "$root" /usr/lib/git-core/git-daemon --listen=127.0.0.1 --port="$port" --base-path=/tmp/served --export-all --enable=receive-pack >>"$work/log" 2>&1 &
pids+=("$!")
until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"

cat >"$root/tmp/run.py" <<'PY'
import io, sys

import dulwich, pygit2
from dulwich import porcelain

url = sys.argv[1]


def told(push):
    try:
        return f"returns {push()}"
    except Exception as error:
        return f"raises {type(error).__name__}"


mine = pygit2.clone_repository(url, "/tmp/pygit2")
ann = pygit2.Signature("ann", "ann@x")
mine.create_commit("refs/heads/main", ann, ann, "two", mine.head.peel().tree_id, [mine.head.target])
seen = [told(lambda: mine.remotes["origin"].push(["refs/heads/main"]))]

said = io.BytesIO()
porcelain.clone(url, "/tmp/dulwich", errstream=io.BytesIO()).close()
porcelain.commit("/tmp/dulwich", message=b"two", author=b"ann <ann@x>", committer=b"ann <ann@x>")
answer = told(lambda: porcelain.push("/tmp/dulwich", "origin", b"refs/heads/main", outstream=io.BytesIO(), errstream=said))
seen.append(answer.split("(")[0])
lines = [line.split(" ")[-1].strip(".") for line in said.getvalue().decode().splitlines() if line.startswith("Push to")]
print(f"pygit2 {pygit2.__version__}: remote.push() {seen[0]}; dulwich {'.'.join(map(str, dulwich.__version__))}: porcelain.push() {seen[1]}, and has written {" ".join(lines)}")
PY
seen=$(inside /usr/bin/python3.14 /tmp/run.py "git://127.0.0.1:$port/server" 2>>"$work/log") || { tail -5 "$work/log" >&2; exit 2; }
code=0
inside git -C /tmp/git commit -q --allow-empty -m two
inside git -C /tmp/git push "git://127.0.0.1:$port/server" main >>"$work/log" 2>&1 || code=$?
there=$(inside git -C /tmp/served/server log --format=%s main | head -1)

echo 'expected: a push that the server refuses is raised'
echo "seen:     $seen"
echo "          git push exits with $code; on the server is commit \"$there\""
[[ $seen == *'remote.push() returns None;'*'porcelain.push() returns SendPackResult, and has written successful' && $code == 1 && $there == one ]] || { echo 'CHANGED: it is raised'; exit 1; }
