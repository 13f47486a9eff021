#!/usr/bin/env bash
# webdav-server 2.6.3: who has the account of a lock's owner needs no token: a second program of that account writes over what the first one has locked, moves it and deletes it.
#
# What: the token is asked of other users only. Where the user is the one that locked, PUT, MOVE and DELETE are made without an If header, though RFC 4918 wants the token of everybody: it tells one client from another, not one user from
# another. A second LOCK is refused, whoever asks.
# Why it hurts: programs that share an account, as services and the devices of one person do, do not exclude each other, though each LOCK says that they do: the second one saves over what the first one has open, and is told 204.
# Who should care: who locks by WebDAV among workers or devices. Give each a user of its own, or look at the ETag before each write.
# Source: lib/server/v2/commands/Put.js and lib/server/v2/webDAVServer; RFC 4918, 6.4 and 7.5.
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
const seen = {
  'PUT by bob': await onLocked((folder) => ask('bob', 'PUT', `${folder}/plan`, { body: "bob's" })),
  'LOCK by another program of ann': await onLocked((folder) => lock('ann', `${folder}/plan`)),
  'PUT by it, without the token': await onLocked((folder) => ask('ann', 'PUT', `${folder}/plan`, { body: "the other program's" })),
  'MOVE by it': await onLocked((folder) => ask('ann', 'MOVE', `${folder}/plan`, { Destination: `${base}${folder}/moved` })),
  'DELETE by it': await onLocked((folder) => ask('ann', 'DELETE', `${folder}/plan`)),
};
console.log(`webdav-server@${version}, node ${process.version}`);
console.log('expected: what ann has locked is as it was, and who has not the token of her lock is told 423');
console.log(`seen:     ${Object.entries(seen).map(([what, result]) => `${what}: ${result}`).join('\n          ')}`);
const results = Object.values(seen);
const isKept = (result) => result === '423, the file has "ann\'s"';
const isMade = (result) => result.startsWith('2') && !result.endsWith('"ann\'s"');
const holds = results.slice(0, 2).every(isKept) && results.slice(2).every(isMade);
if (!holds) console.log('CHANGED: a lock asks its owner, too, for the token');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
