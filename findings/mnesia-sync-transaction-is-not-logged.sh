#!/usr/bin/env bash
# Mnesia 4.27.1 (Erlang/OTP 29.1): sync_transaction has not logged to disk what it says is logged; a kill of the process right after it loses it.
#
# What: the log of transactions is written through a buffer of the program (disk_log, delayed writes), which goes to the file seconds later or when it is
# full. transaction() and sync_transaction() answer {atomic, ok} before that. Only mnesia:sync_log() after them writes, and syncs, what they did.
# Why it hurts: no power has to fail; an out-of-memory kill or a container that ends is enough, and everything that was acknowledged in the last
# moments is gone on a node that has all its tables on disk. With one node there is no other copy.
# Who should care: Mnesia as a database (ejabberd, telephony, home-made stores) with disc_copies.
# Source: the manual of Mnesia, sync_transaction/3 ("committed and logged to disk"), sync_log/0.
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
command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
# Erlang finds itself by fixed paths: it lives in a folder with the libraries of its release, as nobody.
root=$work/erlang
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,data}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch erlang sid erlang-mnesia=1:29.1.2+dfsg-1 erlang-base dash libc6 libgcc-s1 libsctp1 libstdc++6 libtinfo6 libzstd1 zlib1g
chmod 755 "$work"
chmod 777 "$root/data" "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
erts=$(cd "$root/usr/lib/erlang" && echo erts-*)
erlang() { # ARGUMENT...
  exec env -i HOME=/data LANG=C.UTF-8 PATH=/usr/bin "BINDIR=/usr/lib/erlang/$erts/bin" ROOTDIR=/usr/lib/erlang EMU=beam PROGNAME=erl \
    "$(command -v chroot)" --userspec=65534:65534 "$root" "/usr/lib/erlang/$erts/bin/erlexec" -noinput "$@"
}

cat >"$root/data/orders.erl" <<'ERL'
-module(orders).
-export([write/0, count/0]).

open() ->
    [Folder | _] = init:get_plain_arguments(),
    application:set_env(mnesia, dir, Folder),
    mnesia:create_schema([node()]),
    ok = mnesia:start(),
    mnesia:create_table(orders, [{disc_copies, [node()]}]),
    ok = mnesia:wait_for_tables([orders], 20000).

%% 100 transactions, and then nothing until somebody ends it.
write() ->
    open(),
    [_, Kind] = init:get_plain_arguments(),
    [{atomic, ok} = commit(Kind, fun() -> mnesia:write({orders, N, N}) end) || N <- lists:seq(1, 100)],
    Kind =/= "sync_log" orelse (ok = mnesia:sync_log()),
    file:write_file("/data/acknowledged", "100"),
    receive never -> ok end.

commit("transaction", Fun) -> mnesia:transaction(Fun);
commit(_, Fun) -> mnesia:sync_transaction(Fun).

count() ->
    open(),
    file:write_file("/data/kept", integer_to_list(mnesia:table_info(orders, size))),
    halt().
ERL
(erlang -eval '{ok, _} = compile:file("/data/orders", [{outdir, "/data"}]), halt().' >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 2; }

kept_after() { # KIND
  rm -f "$root"/data/{acknowledged,kept}
  erlang -pa /data -s orders write -extra "/data/$1" "$1" >"$work/log" 2>&1 &
  pids=("$!")
  for _ in {1..300}; do
    [ ! -s "$root/data/acknowledged" ] || break
    sleep 0.1
  done
  kill -9 "$!"
  wait "$!" || true
  pids=()
  (erlang -pa /data -s orders count -extra "/data/$1" >>"$work/log" 2>&1) || true
  [ -s "$root/data/kept" ] || { cat "$work/log" >&2; exit 2; }
  cat "$root/data/kept"
}
transaction=$(kept_after transaction)
synced=$(kept_after sync_transaction)
logged=$(kept_after sync_log)
echo 'expected: of 100 transactions that were acknowledged 100 are there when the process was killed, at least by sync_transaction'
echo "seen:     transaction $transaction, sync_transaction $synced, sync_transaction and one sync_log at the end $logged"
if [ "$transaction" -ge 100 ] || [ "$synced" -ge 100 ] || [ "$logged" -ne 100 ]; then
  echo 'CHANGED: what is acknowledged is kept, or what is synced is not'
  exit 1
fi
