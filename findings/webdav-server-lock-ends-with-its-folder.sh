#!/usr/bin/env bash
# webdav-server 2.6.3: a file that one user has locked is removed, moved or replaced by another one together with its folder; and who has the account of the lock's owner needs no token: a second program of that account writes over it.
#
# What: PUT, DELETE, MOVE and COPY look at the locks of the path that they name, and of those above it, not at what is below: a folder with a locked file in it can be deleted, moved, and replaced by COPY or MOVE. RFC 4918 wants 423 there, or
# 207 with the locked file in it. And the token is asked of others only: where the user is the one that locked, the request is made without an If header. A second LOCK is refused, whoever asks.
# Why it hurts: the editor that has the file open writes it back to a path that is gone, or finds another version, though the server told it that the lock is its own, and nobody was told 423. Programs that share an account, as services do,
# do not exclude each other at all.
# Who should care: who serves files to editors, or locks by WebDAV among workers. Give each program a user of its own, lock the folder (Depth: infinity) rather than the file, and compare the ETag before a write.
# Source: lib/server/v2/commands/Delete.js, Move.js and Put.js; RFC 4918, 6.4, 7.5 and 9.6.1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error webdav-server@2.6.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { v2 as webdav } from 'webdav-server';

const { version } = JSON.parse(readFileSync('node_modules/webdav-server/package.json', 'utf8'));
const users = new webdav.SimpleUserManager();
const privilegeManager = new webdav.SimplePathPrivilegeManager();
for (const name of ['ann', 'bob']) privilegeManager.setRights(users.addUser(name, 'password', false), '/', ['all']);
const server = new webdav.WebDAVServer({ port: 0, hostname: '127.0.0.1', httpAuthentication: new webdav.HTTPBasicAuthentication(users, 'files'), privilegeManager });
await new Promise((resolve) => server.start(0, resolve));
const base = `http://127.0.0.1:${server.server.address().port}`;

async function ask(user, method, path, { body, ...headers } = {}) {
  const response = await fetch(`${base}${path}`, { method, body, headers: { authorization: `Basic ${btoa(`${user}:password`)}`, ...headers } });
  return { status: response.status, text: await response.text() };
}
const LOCK =
  '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>ann</D:owner></D:lockinfo>';
const lock = (user, path) => ask(user, 'LOCK', path, { body: LOCK, Depth: '0', 'Content-Type': 'application/xml' });

let folders = 0;
/** What becomes of /folder/plan, which ann has locked, when `act` is made: its status, and what the file has. */
async function onLocked(act) {
  folders += 1;
  const folder = `/folder-${folders}`;
  await ask('ann', 'MKCOL', folder);
  await ask('ann', 'PUT', `${folder}/plan`, { body: "ann's" });
  if ((await lock('ann', `${folder}/plan`)).status !== 200) throw new Error('ann has no lock');
  const { status } = await act(folder);
  const { status: isThere, text } = await ask('ann', 'GET', `${folder}/plan`);
  return `${status}, the file ${isThere === 200 ? `has "${text}"` : 'is gone'}`;
}
async function replace(folder) {
  await ask('bob', 'MKCOL', '/other');
  await ask('bob', 'PUT', '/other/plan', { body: "bob's" });
  return ask('bob', 'COPY', '/other', { Destination: `${base}${folder}`, Overwrite: 'T' });
}
const seen = {
  'PUT of the file by bob': await onLocked((folder) => ask('bob', 'PUT', `${folder}/plan`, { body: "bob's" })),
  'DELETE of the file by bob': await onLocked((folder) => ask('bob', 'DELETE', `${folder}/plan`)),
  'LOCK of the file by ann, once more': await onLocked((folder) => lock('ann', `${folder}/plan`)),
  'DELETE of its folder by bob': await onLocked((folder) => ask('bob', 'DELETE', folder)),
  'MOVE of its folder by bob': await onLocked((folder) => ask('bob', 'MOVE', folder, { Destination: `${base}/moved` })),
  'COPY of another folder over its folder by bob': await onLocked(replace),
  "PUT of the file by another program of ann's, without the token": await onLocked((folder) => ask('ann', 'PUT', `${folder}/plan`, { body: "the other program's" })),
};
console.log(`webdav-server@${version}, node ${process.version}`);
console.log('expected: what ann has locked is as it was, and who has not the token of her lock is told 423');
console.log(`seen:     ${Object.entries(seen).map(([what, result]) => `${what}: ${result}`).join('\n          ')}`);
const results = Object.values(seen);
const isKept = (result) => result === '423, the file has "ann\'s"';
const isMade = (result) => result.startsWith('2') && !result.endsWith('"ann\'s"');
const holds = results.slice(0, 3).every(isKept) && results.slice(3).every(isMade);
if (!holds) console.log('CHANGED: a lock holds for what is in a folder, and asks its owner for the token');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
