#!/usr/bin/env bash
# Moneta 1.6.0 (Ruby): create() with `expires` is False for good once its key has expired: load() says that nothing is there, and create() that something is, until somebody has loaded it.
#
# What: an expired entry is deleted by the load() or key?() that finds it, and create() asks the store beneath whether there is an entry, not whether it is in force. So it is in the memory of the process, in files and in
# SQLite, wherever Moneta itself keeps the times (`expires: true`).
# Why it hurts: create() is the manual's way to a lock or a "once an hour": its holder dies, its time is over, and nobody gets it again. A look at the store with load() to see why makes it work once more.
# Who should care: locks, reminders and idempotency keys in Moneta. key?() before create(), which is no longer atomic; stores that expire by themselves (Redis, memcached).
# Source: lib/moneta/expires.rb, create() beside load() and key?(); the manual's "Atomic operations" and "Expiration" do not speak of it. Needs chroot.
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
root=$work/ruby
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch ruby sid ruby-moneta=1.6.0-7 ruby3.3=3.3.8-2.2 libruby3.3=3.3.8-2.2 ruby-sqlite3=2.9.6-2 ruby-mini-portile2 rubygems-integration libc6 libcrypt1 libffi8 libgcc-s1 libgmp10 libsqlite3-0 libssl3t64 libyaml-0-2 libzstd1 zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.rb" <<'RUBY'
require 'moneta'

stores = {
  'memory' => Moneta.new(:Memory, expires: true),
  'files' => Moneta.new(:File, dir: '/tmp/locks', expires: true),
  'SQLite' => Moneta.new(:Sqlite, file: '/tmp/locks.db', expires: true)
}
stores.each_value { |store| store.create('lock', 'ann', expires: 1) }
sleep 3
seen = stores.transform_values do |store|
  tries = Array.new(2) { store.create('lock', 'bob', expires: 60) }
  tries << store.load('lock')
  tries << store.create('lock', 'bob', expires: 60)
end
puts "Ruby #{RUBY_VERSION}, Moneta 1.6.0"
puts 'expected: create() of a key that expired two seconds ago takes it: true'
seen.each { |name, (first, second, loaded, third)| puts "seen:     #{name}: create() #{first}, #{second}; load() #{loaded.inspect}, and create() after that #{third}" }
holds = seen.values.all?([false, false, nil, true])
puts 'CHANGED: what has expired can be created' unless holds
# An error that nobody caught ends Ruby with 1.
exit(holds ? 0 : 4)
RUBY
code=0
env -i PATH=/usr/bin:/usr/sbin timeout 60 chroot "$root" /usr/bin/ruby3.3 /tmp/run.rb 2>"$work/log" || code=$?
if ((code != 0 && code != 4)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
