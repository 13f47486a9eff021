#!/usr/bin/env bash
# Mnesia of Erlang/OTP 29.1.2: within a transaction that has written two rows of one key into a bag, foldl() and foldr() give each of them more than once: two payments are four, three are nine.
#
# What: what the transaction itself has written is added to the fold once for each write of a key, and each time with all rows of that key. read(), match_object(), select() and, after the commit, the fold itself are right.
# Why it hurts: "write the payments, sum them up, store the balance" in one transaction stores a balance that never was; counts, limits and checks of a total go the same way. A single write is right, as tests have it.
# Who should care: bags in Mnesia (RabbitMQ, ejabberd and their plug-ins have some). select() or match_object() and lists:foldl() over it.
# Source: lib/mnesia/src/mnesia.erl, add_previous() (one entry a write) and do_foldl(); mnesia(3), foldl/3, says nothing of it. Needs chroot.
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

%% How many rows each way of reading finds in a transaction that has written COUNT payments of one account, and the fold after it.
rows(Type, Count) ->
    {atomic, ok} = mnesia:clear_table(Type),
    {atomic, {Fold, Read, Match}} = mnesia:transaction(fun() ->
        [ok = mnesia:write({Type, ann, N}) || N <- lists:seq(1, Count)],
        {fold(Type), length(mnesia:read({Type, ann})), length(mnesia:match_object({Type, '_', '_'}))}
    end),
    {atomic, After} = mnesia:transaction(fun() -> fold(Type) end),
    [Count, Read, Match, Fold, After].

fold(Table) -> mnesia:foldl(fun(_, Sum) -> Sum + 1 end, 0, Table).

main() ->
    ok = mnesia:start(),
    {atomic, ok} = mnesia:create_table(bag, [{type, bag}]),
    [io:format("~b payments: read() ~b, match_object() ~b, foldl() ~b; foldl() after the commit ~b~n", rows(bag, Count)) || Count <- [1, 2, 3]],
    halt().
ERL
(erlang -eval '{ok, _} = compile:file("/data/run", [{outdir, "/data"}]), halt().' >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 2; }
(erlang -pa /data -s run main >"$work/log" 2>&1) || { cat "$work/log" >&2; exit 2; }

echo 'expected: within the transaction as after it foldl() gives each row of a bag once'
sed 's/^/seen:     /' "$work/log"
[[ $(tr -dc '0-9\n' <"$work/log" | tr '\n' ' ') == '11111 22242 33393 ' ]] || { echo 'CHANGED: foldl() gives each row once'; exit 1; }
