#!/usr/bin/env bash
# sqlite3 3.53.4: what .dump writes has neither user_version nor application_id: a restored database says that its schema is version 0, and its migrations are made once more.
#
# What: .dump writes tables, rows, indexes, triggers and views. The two numbers are in the header of the file, as the journal mode is, and are left out without a word; .clone
# leaves them out, too. .backup and VACUUM INTO keep them.
# Why it hurts: user_version is SQLite's place for a number of the application's own, and many keep that of the schema there. Where a migration cannot be repeated the application does not start any
# more; where it can, as one that turns euros into cents, it is made twice, in silence, on the day of the restore.
# Who should care: who keeps dumps as backups, or moves a database to another machine by .dump. Write PRAGMA user_version beside it, or use VACUUM INTO.
# Source: SQLite's documentation of the command-line shell says of .dump that it converts the entire contents of a database.
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

# use NAME PROGRAM: sets cmd to what starts a program of $work/NAME with the libraries of its own release.
use() {
  local libc
  libc=$(dirname "$(find "$work/$1" -name libc.so.6 -print -quit)")
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/usr/bin/$2")
}

fetch sqlite sid sqlite3=3.53.4-2 libsqlite3-0 libreadline8t64 libtinfo6 zlib1g libc6
use sqlite sqlite3
sqlite() { "${cmd[@]}" -batch "$@"; }
cd "$work"

# migrate FILE: what an application does at its start. Its third version keeps cents in place of euros.
migrate() {
  local version
  version=$(sqlite "$1" 'PRAGMA user_version')
  if ((version < 3)); then sqlite "$1" 'BEGIN; UPDATE prices SET amount = amount * 100; PRAGMA user_version = 3; COMMIT'; fi
}
sqlite shop 'CREATE TABLE prices (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL); INSERT INTO prices (amount) VALUES (5); PRAGMA user_version = 2; PRAGMA application_id = 1234'
migrate shop
sqlite shop .dump | sqlite dump
sqlite shop '.backup backup'
sqlite shop "VACUUM INTO 'vacuum'"
sqlite shop '.clone clone' >/dev/null
# state FILE: its numbers, and the price after the application has started over it
state() {
  local numbers
  numbers=$(sqlite "$1" "SELECT user_version || ' and ' || application_id FROM pragma_user_version, pragma_application_id")
  migrate "$1"
  echo "$numbers, then a price of $(sqlite "$1" 'SELECT amount FROM prices')"
}
shop=$(state shop)
echo "sqlite3 $(sqlite --version | cut -d ' ' -f 1)"
echo 'expected: a restored dump has the user_version and application_id of its database: 3 and 1234, and a price of 500 stays one'
echo "seen:     the database: $shop"
declare -A copies
for copy in dump clone backup vacuum; do
  copies[$copy]=$(state "$copy")
  echo "          ${copy}: ${copies[$copy]}"
done
[[ $shop == '3 and 1234, then a price of 500' && ${copies[backup]} == "$shop" && ${copies[vacuum]} == "$shop" ]] || { echo 'CHANGED: the other ways lose the numbers, too'; exit 1; }
[[ ${copies[dump]} == '0 and 0, then a price of 50000' && ${copies[clone]} == "${copies[dump]}" ]] || { echo 'CHANGED: the numbers are dumped'; exit 1; }
