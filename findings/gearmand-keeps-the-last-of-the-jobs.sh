#!/usr/bin/env bash
# gearmand 1.1.21 with its queue in SQLite: of the background jobs without a unique id only the last one of a function is there after a restart, though each was acknowledged.
#
# What: the stored queue has the unique id and the function as its key. A client may leave the id empty, as gearmanode does unless it is told one; all those jobs share one row, which each
# of them replaces. Also the end of any of them takes the row away, that of jobs which still wait included. In the memory of the server all of them wait and are done, so nothing shows before a restart.
# Why it hurts: a queue that was made durable for its restarts, with JOB_CREATED for each job, loses all jobs but one, or all of them.
# Who should care: who runs gearmand with --queue-type and clients in Node. Give each job a unique id.
# Source: libgearman-server/plugins/queue/sqlite (PRIMARY KEY(unique_key, function_name), INSERT OR REPLACE), gearmanode's lib/gearmanode/client.js (job.unique or an empty text).
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

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
fetch gearman sid gearman-job-server=1.1.21+ds-1.1+b1 libboost-program-options1.92.0 libc6 libcom-err2 libdb5.3t64 libevent-2.1-7t64 libevent-core-2.1-7t64 libevent-pthreads-2.1-7t64 libgcc-s1 libgssapi-krb5-2 \
  libhashkit2t64 libhiredis1.1.0 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libldap2 libmariadb3 libmemcached11t64 libpq5 libsasl2-2 libsqlite3-0 libssl3t64 libstdc++6 libsystemd0 libuuid1 libzstd1 zlib1g
use gearman usr/sbin/gearmand
mkdir "$work/client"
cd "$work/client"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error gearmanode@0.9.2 winston@3.19.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

# serve: starts a server over the stored queue; its process is pid.
serve() {
  port=$(free_port)
  "${cmd[@]}" --listen 127.0.0.1 --port "$port" --queue-type libsqlite3 --libsqlite3-db "$work/queue" --log-file "$work/log" &
  pid=$!
  pids+=("$pid")
  until_ok bash -c ": <>/dev/tcp/127.0.0.1/$port"
}
# waiting: how many jobs the server has
waiting() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  echo status >&3
  timeout 5 sed -n '/^\.$/q; s/^bill\t\([0-9]*\)\t.*/\1/p' <&3
  exec 3>&-
}
restart() {
  kill "$pid"
  { wait "$pid" || true; } 2>/dev/null
  serve
}
cat >submit.mjs <<'JS'
import gearman from 'gearmanode';
const [port, own, ...payloads] = process.argv.slice(2);
const client = gearman.client({ host: '127.0.0.1', port: Number(port) });
for (const payload of payloads) {
  const job = client.submitJob('bill', payload, { background: true, ...(own === 'own' ? { unique: `id-${payload}` } : {}) });
  await new Promise((resolve, reject) => { job.on('created', resolve); job.on('error', reject); });
  console.log(payload);
}
process.exit(0);
JS
# submit ID PAYLOAD...: how many of the jobs were acknowledged
submit() { timeout 20 node submit.mjs "$port" "$@" 2>client.log | wc -l; }

serve
acknowledged=$(submit none 1 2 3 4 5)
before=$(waiting)
restart
after=$(waiting)
kill "$pid"
{ wait "$pid" || true; } 2>/dev/null
rm "$work/queue"
serve
with=$(submit own 1 2 3 4 5)
restart
kept=$(waiting)

echo "version: $("${cmd[@]}" --version | awk 'NF { print $1, $2 }'), gearmanode 0.9.2"
echo 'expected: five background jobs that were acknowledged wait for a worker after a restart'
echo "seen:     $acknowledged acknowledged, $before waiting, after a restart $after; with a unique id each: $with acknowledged, after a restart $kept"
[ "$with $kept" = '5 5' ] || { echo 'CHANGED: jobs with unique ids are not kept'; exit 1; }
[ "$acknowledged $before $after" = '5 5 1' ] || { echo 'CHANGED: jobs without unique ids are kept'; exit 1; }
