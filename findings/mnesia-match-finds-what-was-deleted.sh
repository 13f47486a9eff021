#!/usr/bin/env bash
# Mnesia of Erlang/OTP 29.1.2: in an ordered_set with an index match_object() and index_match_object() find rows that the same transaction has deleted, or changed: the loop that takes "the next open job" takes one again.
#
# What: what the transaction itself has done is laid over the rows of the table in one pass that takes them for sorted by key. By an index they come in another order, the newest first, and all but the last stay as they
# were. read(), index_read() and select() are right, and so is all in a set or a bag, or without the index.
# Why it hurts: a transaction that deletes, or marks as done, and then looks what is left is told that the rows are there as before: it takes them twice, or refuses for a limit that was kept.
# Who should care: queues and sessions in Mnesia with an index. index_read(), or select().
# Source: lib/mnesia/src/mnesia.erl, add_ordered_match(); mnesia(3) says that match_object/3 uses indexes where there are some. Needs chroot.
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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
root=$work/erlang
mkdir -p "$root"/{data,tmp,dev,usr/bin,usr/lib,usr/lib64}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch erlang sid erlang-mnesia=1:29.1.2+dfsg-1 erlang-base dash libc6 libgcc-s1 libsctp1 libstdc++6 libtinfo6 libzstd1 zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
erts=$(cd "$root/usr/lib/erlang" && echo erts-*)
erlang() { # ARGUMENT...
  env -i HOME=/data LANG=C.UTF-8 PATH=/usr/bin:/usr/sbin "BINDIR=/usr/lib/erlang/$erts/bin" ROOTDIR=/usr/lib/erlang EMU=beam PROGNAME=erl \
    timeout 60 chroot "$root" "/usr/lib/erlang/$erts/bin/erlexec" -noinput "$@"
}

cat >"$root/data/run.erl" <<'ERL'
-module(run).
-export([main/0]).

%% The ids of the open jobs, of two, that each way of reading finds in a transaction in which Change was made to job 1.
open(Table, Change) ->
    {atomic, ok} = mnesia:clear_table(Table),
    [ok = mnesia:dirty_write({Table, Id, open}) || Id <- [1, 2]],
    {atomic, Found} = mnesia:transaction(fun() ->
        Change(Table),
        Pattern = {Table, '_', open},
        [mnesia:match_object(Pattern), mnesia:index_match_object(Pattern, state), mnesia:index_read(Table, open, state), mnesia:select(Table, [{Pattern, [], ['$_']}])]
    end),
    [ids(Rows) || Rows <- Found].

ids(Rows) -> string:join([integer_to_list(Id) || {_, Id, _} <- lists:sort(Rows)], "+").

main() ->
    ok = mnesia:start(),
    [{atomic, ok} = mnesia:create_table(Type, [{type, Type}, {attributes, [id, state]}, {index, [state]}]) || Type <- [set, ordered_set]],
    Changes = [{"deleted", fun(Table) -> mnesia:delete({Table, 1}) end}, {"done", fun(Table) -> mnesia:write({Table, 1, done}) end}],
    [io:format("~p, job 1 ~s: match_object() ~s, index_match_object() ~s, index_read() ~s, select() ~s~n", [Table, Name | open(Table, Change)])
     || Table <- [set, ordered_set], {Name, Change} <- Changes],
    halt().
ERL
(erlang -eval '{ok, _} = compile:file("/data/run", [{outdir, "/data"}]), halt().' >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 2; }
(erlang -pa /data -s run main >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 2; }

echo 'expected: once job 1 of two is deleted, or done, the open one is 2'
sed 's/^/seen:     /' "$work/log"
found=$(sed 's/^[^:]*://; s/[^0-9+ ]//g' "$work/log" | xargs)
[[ $found == '2 2 2 2 2 2 2 2 1+2 1+2 2 2 1+2 1+2 2 2' ]] || { echo 'CHANGED: job 1 is not found any more'; exit 1; }
