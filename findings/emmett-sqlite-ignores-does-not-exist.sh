#!/usr/bin/env bash
# Emmett 0.42 on SQLite: STREAM_DOES_NOT_EXIST guards nothing, and an append that was refused once makes a stream refuse every later one.
#
# What: of the expected versions only numbers are looked at; STREAM_DOES_NOT_EXIST and STREAM_EXISTS are turned into "whatever there is". An outdated number is refused, but by then the stream's
# position has been raised, and that is committed: the position is ahead of the events by what was refused, and the version that was just read is never the expected one again.
# Why it hurts: "create if absent" is how an event store keeps a name, an order number or an idempotency key unique: two registrations are both accepted, in one stream. And the first
# conflict of two writers, the very thing that the version is there for, ends all conditional writes of that stream, each with "does not match current -1".
# Who should care: who has Emmett on SQLite in production, or in tests that are to tell what PostgreSQL will do.
# Source: the package's appendToStream (toExpectedVersion; success: false is returned, not thrown, out of withTransaction, which commits). Needs Node 20 or later and npm.
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

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# The package sqlite3 fetches its built half from elsewhere: Debian has it. It names Debian's libnode, of which Node itself has all that it uses: any library will do.
fetch sqlite bookworm node-sqlite3=5.1.5+ds1-1 libsqlite3-0
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @event-driven-io/emmett@0.42.0 @event-driven-io/emmett-sqlite@0.42.4 sqlite3@5.1.7 async-retry@1.3.3 \
  uuid@10.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
mkdir -p node_modules/sqlite3/build/Release libraries
find sqlite -path '*napi-v6*' -name node_sqlite3.node -exec cp {} node_modules/sqlite3/build/Release/ \;
find sqlite -name 'libsqlite3.so.0' -exec cp -L {} libraries/ \;
cp libraries/libsqlite3.so.0 libraries/libnode.so.108

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { STREAM_DOES_NOT_EXIST } from '@event-driven-io/emmett';
import { getSQLiteEventStore } from '@event-driven-io/emmett-sqlite';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const store = getSQLiteEventStore({ fileName: 'events.db', schema: { autoMigration: 'CreateOrUpdate' } });

const append = (stream, what, expectedStreamVersion) =>
  store.appendToStream(stream, [{ type: 'Happened', data: { what } }], { expectedStreamVersion }).then(
    () => 'accepted',
    () => 'refused',
  );
const wordsOf = async (stream) => (await store.readStream(stream)).events.map(({ data }) => data.what).join(', ');

const names = [await append('user-smith', 'ann', STREAM_DOES_NOT_EXIST), await append('user-smith', 'bob', STREAM_DOES_NOT_EXIST)];
const both = await wordsOf('user-smith');

const first = [await append('order-1', 'placed', STREAM_DOES_NOT_EXIST), await append('order-1', 'paid', 1n)];
const outdated = await append('order-1', 'cancelled', 1n);
const { currentStreamVersion } = await store.readStream('order-1');
const after = await append('order-1', 'sent', currentStreamVersion);
const again = await append('order-1', 'sent', (await store.readStream('order-1')).currentStreamVersion);

console.log(`@event-driven-io/emmett-sqlite@${version('@event-driven-io/emmett-sqlite')}, sqlite3@${version('sqlite3')}, node ${process.version}`);
console.log('expected: of two appends to a stream that must not exist the second is refused; after an outdated append the next one, with the version just read, is accepted');
console.log(`seen:     ${names.join(', ')}, and the stream has: ${both};`);
console.log(`          order: ${first.join(', ')}; with an outdated version: ${outdated}; with the version just read, ${currentStreamVersion}: ${after}; read and tried again: ${again}`);
const holds = `${[...names, ...first]}` === 'accepted,accepted,accepted,accepted' && both === 'ann, bob' && `${[outdated, after, again]}` === 'refused,refused,refused';
if (!holds) console.log('CHANGED: the second registration is refused, or the stream goes on after a conflict');
process.exit(holds ? 0 : 7);
JS
code=0
LD_LIBRARY_PATH=$work/libraries timeout 40 node run.mjs || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    echo "could not be run ($code)" >&2
    exit 2
    ;;
esac
