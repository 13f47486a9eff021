#!/usr/bin/env bash
# imapflow 2.10.2: messageFlagsSet() and messageFlagsAdd() with `unchangedSince` say true where the server refused the change, since the message was changed before: of two who claim a message both are told that they have it.
#
# What: a server answers a conditional STORE that it did not make with OK and the code MODIFIED, as RFC 7162 says; it is no NO. The client looks at OK, and returns true; the code is read nowhere. No error, no warning.
# Why it hurts: false is what it says "on failure", and the modification sequence is IMAP's compare-and-set, there to hand one message to one of several programs. Each of them goes on to answer, book or forward it. A state
# that is kept in flags is overwritten by nobody, but everybody believes that his is stored.
# Who should care: who shares a mailbox among workers, or keeps states in flags. Fetch the flags afterwards, and claim with a name of your own, so that they tell whose claim stands.
# Source: lib/commands/store.js ("return true" behind exec()); RFC 7162, 3.1.3. The server is Dovecot 2.4.5. Needs chroot, Node 20 or later and npm.
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

for tool in chroot node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# The server lives in a folder with its libraries: it has paths that are compiled in.
root=$work/dovecot
mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,tmp,dev,run,home/box}
for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch dovecot sid dovecot-imapd=1:2.4.5+dfsg1-4 dovecot-core=1:2.4.5+dfsg1-4 libapparmor1 libaudit1 libbz2-1.0 libc6 libcap-ng0 libcap2 libcom-err2 libcrypt1 libexttextcat-2.0-1 libgcc-s1 \
  libgssapi-krb5-2 libicu78 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblua5.4-0 liblz4-1 liblzma5 libpam0g libpcre2-32-0 libsodium26 libssl3t64 libstdc++6 libstemmer0d libsystemd0 \
  libtirpc3t64 libunwind8 libxxhash0 libzstd1 zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
# Settings of a filter that is another package.
rm -f "$root/usr/lib/dovecot/modules/settings/libpigeonhole_settings.so"
chown 1000:1000 "$root/home/box"
cat >"$root/etc/dovecot/dovecot.conf" <<'CONF'
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = sdbox
mail_path = /home/box/mail
mail_home = /home/box
mail_uid = 1000
mail_gid = 1000
log_path = /tmp/log
ssl = no
CONF
touch "$root/tmp/log"
chmod 666 "$root/tmp/log"

cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error imapflow@2.10.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ImapFlow } from 'imapflow';

const { version } = JSON.parse(readFileSync('node_modules/imapflow/package.json', 'utf8'));
console.log(`imapflow@${version}, node ${process.version}`);

/** What the server answers conditional STOREs. */
const answers = [];
const server = createServer((socket) => {
  const env = { PATH: process.env.PATH, USER: 'box', HOME: '/home/box' };
  const imap = spawn('sh', ['-c', 'cat | chroot "$0" /usr/lib/dovecot/imap | cat', process.argv[2]], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  imap.stdin.on('error', () => {});
  socket.on('error', () => {});
  socket.pipe(imap.stdin);
  imap.stdout.on('data', (data) => answers.push(...(String(data).match(/OK \[MODIFIED[^\]]*\]|OK Store completed/g) ?? [])));
  imap.stdout.pipe(socket);
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

async function connect() {
  const options = { host: '127.0.0.1', port: server.address().port, secure: false, doSTARTTLS: false, auth: { user: 'box', pass: 'box' }, logger: false, disableCompression: true };
  const client = new ImapFlow(options);
  await client.connect();
  await client.mailboxOpen('INBOX');
  return client;
}
const names = ['ann', 'bob'];
const clients = [await connect(), await connect()];

/** Both read a new message, and then claim it, one after the other, each if it is as he read it: what they are told, and the flags afterwards. */
async function claim(method) {
  const { uid } = await clients[0].append('INBOX', 'Subject: order\r\n\r\n\r\n');
  const read = async (client) => {
    await client.noop();
    return client.fetchOne(String(uid), { flags: true }, { uid: true });
  };
  const found = [await read(clients[0]), await read(clients[1])];
  const told = [];
  for (const [index, client] of clients.entries()) {
    told.push(await client[method](String(uid), [names[index]], { uid: true, unchangedSince: found[index].modseq }));
  }
  const flags = [...(await read(clients[1])).flags].filter((flag) => !flag.startsWith('\\'));
  return { told: told.join(', '), flags: flags.join(', ') };
}
const set = await claim('messageFlagsSet');
const add = await claim('messageFlagsAdd');
for (const client of clients) await client.logout();
server.close();

console.log('expected: of ann and bob, who claim a message that nobody changed since both read it, ann is told true, bob false');
console.log(`seen:     messageFlagsSet: ${set.told}; claimed by ${set.flags}`);
console.log(`          messageFlagsAdd: ${add.told}; claimed by ${add.flags}`);
console.log(`          the server answered: ${answers.join(', ')}`);
const isRefused = answers.length === 4 && [1, 3].every((index) => answers[index].startsWith('OK [MODIFIED'));
if (!isRefused) {
  console.error('the server did not refuse the second of two');
  process.exit(2);
}
const holds = [set, add].every(({ told, flags }) => told === 'true, true' && flags === 'ann');
if (!holds) console.log('CHANGED: a refused change is told');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 60 node run.mjs "$root" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -5 "$root/tmp/log" >&2
    exit 2
    ;;
esac
