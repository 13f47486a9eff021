#!/usr/bin/env bash
# pg-boss 12.38.0: `groupConcurrency: 1` does not keep a group to one job: of those who fetch at the same moment several are each given one of it.
#
# What: fetch() counts the active jobs of the group, or looks whether there is one, and makes others active in one statement, and SKIP LOCKED keeps two from taking the same row. Nothing keeps them from taking two rows of one group: each sees the
# group as it was committed, and no index says that a group has one. The queue policies (singleton, stately, key_strict_fifo), which have an index, hold.
# Why it hurts: it is the limit of which the types say that it holds over all nodes, by the database, and 1 is taken for "one at a time for each customer": what is read and written without a lock, since only one can be at
# work, is overwritten. Workers poll at the same rate, and a job that ends or is sent lets several ask together.
# Who should care: who counts on the number, not who only wants less load. Take the policy "singleton" with a singletonKey for each group, or pg_advisory_xact_lock() in the job.
# Source: plans.js, fetchNextJob() (active_group_probe, active_group_count_map). Needs chroot, Node 20 or later and npm.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -INT "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

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

for tool in node npm chroot; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# PostgreSQL starts programs of its own and refuses to run as root: it lives in a folder with the libraries of its release, as nobody.
root=$work/pg
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,data}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch pg sid postgresql-18=18.6-3 libc6 dash libaudit1 libcap-ng0 libcap2 libcom-err2 libgcc-s1 libgssapi-krb5-2 libicu78 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
  libldap2 liblz4-1 libnuma1 libpam0g libpcre2-8-0 libpq5 libsasl2-2 libselinux1 libssl3t64 libstdc++6 libsystemd0 liburing2 libuuid1 libxml2-16 libxslt1.1 libxxhash0 libzstd1 tzdata zlib1g
mkdir -p "$root/etc"
echo 'nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
chmod 755 "$work"
chmod 777 "$root/data" "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
postgres() { chroot --userspec=65534:65534 "$root" "/usr/lib/postgresql/18/bin/$1" "${@:2}"; }
port=$(free_port)
postgres initdb -D /data/db -U postgres -A trust --no-locale -c dynamic_shared_memory_type=mmap >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
chroot --userspec=65534:65534 "$root" /usr/lib/postgresql/18/bin/postgres -D /data/db -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
get() { npm install --no-audit --no-fund --ignore-scripts --loglevel=error "$@" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }; }
get pg-boss@12.38.0

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';

const { version } = JSON.parse(readFileSync('node_modules/pg-boss/package.json', 'utf8'));
async function open() {
  for (let tries = 0; ; tries += 1) {
    const boss = new PgBoss(`postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`);
    boss.on('error', () => {});
    try {
      await boss.start();
      return boss;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
}
const nodes = [await open(), await open()];

/** The most jobs of one customer that are at work at the same time when ten fetch together; more than one within 100 tries. */
async function fetched(queue, options, job, fetchOptions) {
  await nodes[0].createQueue(queue, options);
  let most = 0;
  for (let tries = 0; tries < 100 && most < 2; tries += 1) {
    await nodes[0].insert(queue, Array.from({ length: 20 }, () => job(`customer ${tries}`)));
    const jobs = await Promise.all(Array.from({ length: 10 }, (_, index) => nodes[index % 2].fetch(queue, fetchOptions)));
    most = Math.max(most, jobs.flat().length);
    await nodes[0].deleteAllJobs(queue);
  }
  return most;
}

/** What the workers of both nodes, five on each, have done, and the balances of 30 customers who had 0 and were given 1 by each of 5 jobs that read it, wait, and write it. */
async function worked(queue) {
  await nodes[0].createQueue(queue);
  const customers = Array.from({ length: 30 }, (_, index) => `customer ${index}`);
  await nodes[0].insert(queue, customers.flatMap((id) => Array.from({ length: 5 }, () => ({ data: { id }, group: { id } }))));
  const balances = new Map(customers.map((id) => [id, 0]));
  let done = 0;
  for (const node of nodes) {
    await node.work(queue, { groupConcurrency: 1, localConcurrency: 5, pollingIntervalSeconds: 0.5 }, async ([{ data }]) => {
      const balance = balances.get(data.id);
      await sleep(50);
      balances.set(data.id, balance + 1);
      done += 1;
    });
  }
  for (let tries = 0; tries < 600 && done < 150; tries += 1) await sleep(100);
  return { done, left: [...balances.values()].reduce((sum, balance) => sum + balance, 0) };
}
const grouped = await fetched('grouped', {}, (id) => ({ group: { id } }), { groupConcurrency: 1 });
const singleton = await fetched('singleton', { policy: 'singleton' }, (id) => ({ singletonKey: id }), {});
const { done, left } = await worked('worked');
for (const node of nodes) await node.stop({ graceful: false });

console.log(`pg-boss@${version}, node ${process.version}`);
console.log('expected: at most one job of a customer is at work; of jobs that add 1 to the balance of their customer none is lost');
console.log(`seen:     fetched together: ${grouped > 1 ? 'more than one' : grouped} with groupConcurrency: 1; ${singleton} with the policy "singleton"`);
console.log(`          workers of two nodes with groupConcurrency: 1: ${done} jobs were done, the balances have ${left}`);
const holds = grouped > 1 && singleton <= 1;
if (!holds) console.log('CHANGED: a group has one job at work');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 150 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
