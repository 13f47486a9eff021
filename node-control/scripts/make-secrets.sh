#!/usr/bin/env bash
# Makes the secrets of a cluster, once.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: make-secrets.sh FOLDER

Makes the secrets of a cluster in a new folder. Of one that is there it leaves the secrets alone, puts the rights right, and says what is
missing. build-run.sh calls it before each start.

  admin-token         what the proposers' admin ports ask for
  proposer-password   of the Redis user that the proposers are
  control-password    of the Redis user that the control node is
  users.acl           the users of an acceptor with what each may do, and no password, but its SHA-256

The folder is for its owner alone (0700). The files are readable for all who get there: containers have other users.
USAGE
}

case $#${1:-} in
  1-h | 1--help) usage && exit ;;
  1[!-]*) folder=${1%/} ;;
  *)
    usage >&2
    exit 2
    ;;
esac

if [ -d "$folder" ]; then
  for file in admin-token proposer-password control-password users.acl; do
    if [ ! -f "$folder/$file" ] || [ ! -s "$folder/$file" ]; then
      echo "$folder is there without $file. Stop the cluster and remove the folder: the next start makes new secrets." >&2
      exit 1
    fi
    chmod a+r "$folder/$file"
  done
  # Users that were made before acceptors were asked for their settings. The file stays the same one: a container may have it mounted.
  if ! grep -qF '+config|get' "$folder/users.acl"; then
    users=$(sed 's/ +info/ +info +config|get/' "$folder/users.acl")
    printf '%s\n' "$users" >"$folder/users.acl"
    echo "The users in $folder may ask for settings (+config|get) from now on. Acceptors that run know it once they are started again." >&2
  fi
  # Users that were made before acceptors were greeted.
  if ! grep -qF ' ~beats ' "$folder/users.acl"; then
    users=$(sed -e '/^user proposer /s/ ~identity / ~identity ~beats ~eras /' -e '/^user proposer /s/$/ (~identity ~beats +mget +set)/' -e '/^user control /s/$/ (~eras +del)/' "$folder/users.acl")
    printf '%s\n' "$users" >"$folder/users.acl"
    echo "The users in $folder may count beats (~beats ~eras) from now on. Acceptors that run know it once they are started again." >&2
  fi
  # Users that were made before deleted keys were collected. The proposers' may touch the floor already: its name is among those of identities.
  if ! grep -qF '~identity:floor' "$folder/users.acl"; then
    users=$(sed -e '/^user control /s/$/ (~identity:floor* +set) (~r:* +unlink)/' "$folder/users.acl")
    printf '%s\n' "$users" >"$folder/users.acl"
    echo "The control node's user in $folder may collect what was deleted (+unlink) from now on. Acceptors that run know it once they are started again." >&2
  fi
  # Users that were made before registers were copied.
  if ! grep -qF '+hset)' "$folder/users.acl"; then
    users=$(sed -e '/^user control /s/ +eval / +eval +evalsha /' -e '/^user control /s/$/ (~r:* +hset)/' "$folder/users.acl")
    printf '%s\n' "$users" >"$folder/users.acl"
    echo "The control node's user in $folder may copy registers (+hset) from now on. Acceptors that run know it once they are started again; until then a rescan runs a round for each key." >&2
  fi
  # Users that were made before the control node looked for proposers that its PROPOSERS leaves out.
  if ! grep -qF '+hgetall' "$folder/users.acl"; then
    users=$(sed '/^user control /s/(~eras +del)/(~eras +del +hgetall)/' "$folder/users.acl")
    printf '%s\n' "$users" >"$folder/users.acl"
    echo "The control node's user in $folder may see which proposers run (+hgetall) from now on. Acceptors that run know it once they are started again; until then nobody notices one that PROPOSERS leaves out." >&2
  fi
  if [ -n "$(find "$folder" -prune ! -perm 0700)" ]; then
    chmod 0700 "$folder"
    echo "$folder had other rights; from now on it is for its owner alone. Has somebody read it? docs/security.md says how to change secrets." >&2
  fi
  exit
fi

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
proposer_password=$(random_text)
control_password=$(random_text)
proposer_hash=$(sha256_of "$proposer_password")
control_hash=$(sha256_of "$control_password")
random_text >"$new/admin-token"
printf %s "$proposer_password" >"$new/proposer-password"
printf %s "$control_password" >"$new/control-password"
# What both need to connect: HELLO and AUTH go without saying, INFO tells whether Redis has loaded its data. A script may do only what its
# caller may. Prepare and accept declare the identity and only read it; Redis asks for the right to write it all the same. Greetings write it.
cat >"$new/users.acl" <<ACL
user default off
user proposer on #$proposer_hash resetchannels ~r:* ~identity ~beats ~eras ~identity:* -@all +hello +info +config|get +cluster|nodes +eval +evalsha +hmget +hset +get (~identity ~beats +mget +set)
user control on #$control_hash resetchannels ~* -@all +hello +info +config|get +ping +cluster|nodes +client|kill +eval +evalsha +dbsize +scan +exists +get +setnx +hget +hmget +flushall (~eras +del +hgetall) (~identity:floor* +set) (~r:* +unlink) (~r:* +hset)
ACL
chmod a+r "$new"/*
mv "$new" "$folder"
# Where another one was first, it went inside.
rm -rf "${folder:?}/$(basename "$new")"
