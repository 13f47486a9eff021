#!/usr/bin/env bash
# sqldiff 3.53.4: its statements do not make the second database of the first one: changes between what compares as equal are left out: "ann" to "Ann" in a column that is COLLATE NOCASE, 1 to 1.0, a space at the end under RTRIM.
#
# What: rows are compared by IS NOT of SQL, with the collation of the column. A row that has another change as well is updated, without the column that "is the same".
# Why it hurts: a copy that follows by sqldiff differs for good, and each later run says that there is nothing to do, with exit code 0. The manual says that the output makes the one of the other, and names as what it
# leaves out triggers, views and virtual tables.
# Who should care: who keeps replicas, migrations or backups by differences, with names or addresses that ignore case.
# Source: tool/sqldiff.c, diff_one_table() ("IS NOT"); sqldiff's manual, 3.
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

fetch sqlite sid sqlite3-tools=3.53.4-2 sqlite3=3.53.4-2 libsqlite3-0 libreadline8t64 libtinfo6 zlib1g libtcl8.6 libc6
use sqlite usr/bin/sqlite3
sqlite=("${cmd[@]}")
use sqlite usr/bin/sqldiff
sqldiff=("${cmd[@]}")

sql() { "${sqlite[@]}" -batch "$work/$1" "$2"; }
sql before "CREATE TABLE person (id INTEGER PRIMARY KEY, mail TEXT COLLATE NOCASE, code TEXT COLLATE RTRIM, points ANY, visits INTEGER);
  INSERT INTO person VALUES (1, 'ann@x', 'A', 1, 0), (2, 'bob@x', 'B', 1, 0), (3, 'cat@x', 'C', 1, 0), (4, 'dan@x', 'D', 1, 0), (5, 'eve@x', 'E', 1, 0)"
cp "$work/before" "$work/after"
sql after "UPDATE person SET mail = 'Ann@x' WHERE id = 1; UPDATE person SET code = 'B ' WHERE id = 2; UPDATE person SET points = 1.0 WHERE id = 3; UPDATE person SET mail = 'Dan@x', visits = 1 WHERE id = 4;
  UPDATE person SET mail = 'eva@x' WHERE id = 5"
"${sqldiff[@]}" "$work/before" "$work/after" >"$work/statements"
sql before ".read $work/statements"
again=$("${sqldiff[@]}" "$work/before" "$work/after")
rows() { sql "$1" "SELECT group_concat(printf('%s %s%s %s %s', mail, code, '.', points, visits), ', ') FROM (SELECT * FROM person ORDER BY id)"; }
made=$(rows before)
wanted=$(rows after)

echo 'expected: the statements of sqldiff, made in the first database, make the second one of it'
echo "seen:     the second one: $wanted"
echo "          what was made:  $made"
echo "          a second run of sqldiff says: \"$again\""
[[ $made == 'ann@x A. 1 0, bob@x B. 1 0, cat@x C. 1 0, dan@x D. 1 1, eva@x E. 1 0' && $wanted != "$made" && -z $again ]] || { echo 'CHANGED: it makes more of the changes'; exit 1; }
