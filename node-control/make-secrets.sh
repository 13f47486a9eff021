#!/usr/bin/env bash
# Makes the secrets of a cluster, once.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: make-secrets.sh FOLDER

Makes the secrets of a cluster in a new folder; leaves alone one that is there. build-run.sh calls it before the first start.

  admin-token         what the proposers' admin ports ask for
  proposer-password   of the Redis user that the proposers are
  control-password    of the Redis user that the control node is
  users.acl           the users of an acceptor with what each may do, and no password, but its SHA-256

The folder is for its owner alone (0700). The files are readable for all who get there: containers have other users.
USAGE
}

case $#${1:-} in
  1-h | 1--help) usage && exit ;;
  1?*) folder=$1 ;;
  *)
    usage >&2
    exit 2
    ;;
esac
if [ -d "$folder" ]; then exit; fi

random_text() { # 32 bytes as 64 hexadecimal digits
  od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

sha256_of() { # TEXT
  if command -v sha256sum >/dev/null; then printf %s "$1" | sha256sum | cut -c1-64; else printf %s "$1" | shasum -a 256 | cut -c1-64; fi
}

umask 077
mkdir -p "$(dirname "$folder")"
# Whole or not at all, also where two do this at once.
new=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$new"' EXIT
proposer_password=$(random_text) control_password=$(random_text)
random_text >"$new/admin-token"
printf %s "$proposer_password" >"$new/proposer-password"
printf %s "$control_password" >"$new/control-password"
# What both need to connect: HELLO and AUTH go without saying, INFO tells whether Redis has loaded its data. A script may do only what its
# caller may. The identity is declared by the scripts that only read it; Redis asks for the right to write it all the same.
cat >"$new/users.acl" <<ACL
user default off
user proposer on #$(sha256_of "$proposer_password") resetchannels ~r:* ~identity ~identity:* -@all +hello +info +cluster|nodes +eval +evalsha +hmget +hset +get
user control on #$(sha256_of "$control_password") resetchannels ~* -@all +hello +info +ping +cluster|nodes +client|kill +eval +dbsize +scan +exists +get +setnx +hget +hmget +flushall
ACL
chmod a+r "$new"/*
mv "$new" "$folder"
# Where another one was first, it went inside.
rm -rf "${folder:?}/$(basename "$new")"
