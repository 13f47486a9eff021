#!/usr/bin/env bash
# Cache::FastMmap 1.66: in write_back mode a changed item that expires is never written to the store if somebody reads or changes it again: the old value of the store takes its place. Counters by get_and_set() lose all.
#
# What: the next get() or get_and_set() of the key asks read_cb for the store's value, which is older, and puts it over the changed item, without write_cb. Only if nobody asks for the item until it is expunged is it
# written, as the documentation says: "Expired items do result in the write_cb being called if 'write_back' caching is enabled and the item has been changed." Without expire_time nothing is lost.
# Why it hurts: set() and get_and_set() had said that it is done, every process had read the new value, and then all of them read the old one, for good. It is the busy keys that are lost: those that are asked for again.
# Who should care: who counts, or keeps sessions, in write_back mode with an expire_time. Write through, or give such items no time.
# Source: Cache/FastMmap.pm, get(): "if not found", read_cb, then fc_write() of what it returned. Needs chroot.
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
# perl of the release, for which the package is compiled, lives in a folder with its libraries.
root=$work/perl
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch perl sid libcache-fastmmap-perl=1.66-1 perl-base perl-modules-5.42 libperl5.42 libc6 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3

cat >"$root/tmp/run.pl" <<'PL'
use strict;
use warnings;
use Cache::FastMmap;

# What is in the store, what a reader is told, and the writes, after 20 increments in four busy times, each of them followed by a rest.
sub count {
    my ($file, $mode, @expire) = @_;
    my (%store, $writes);
    $store{hits} = 0;
    my $cache = Cache::FastMmap->new(
        share_file => "/tmp/$file", init_file => 1, serializer => '', write_action => $mode, context => \%store, @expire,
        read_cb    => sub { $_[0]{$_[1]} },
        write_cb   => sub { $writes++; $_[0]{$_[1]} = $_[2] },
    );
    my $highest = 0;
    for my $busy (1 .. 4) {
        $cache->get_and_set('hits', sub { $_[1] + 1 }) for 1 .. 5;
        my $now = $cache->get('hits');
        $highest = $now if $now > $highest;
        sleep 3;
    }
    my $read = $cache->get('hits');
    $cache->empty;
    return "$read is read, $store{hits} is in the store, written " . ($writes // 0) . " times, the highest number that was read: $highest";
}
my $lost    = count('lost', 'write_back', expire_time => 1);
my $kept    = count('kept', 'write_back');
my $through = count('through', 'write_through', expire_time => 1);
print "Cache::FastMmap $Cache::FastMmap::VERSION, perl $^V\n";
print "expected: 20 increments by get_and_set(), in four times with a rest between them, end with 20 in the store, whatever expires\n";
print "seen:     write_back and expire_time 1: $lost\n";
print "          write_back, no expire_time:   $kept\n";
print "          write_through, expire_time 1: $through\n";
my $holds = $lost =~ /^0 is read, 0 is in the store, written 0 times, .*: 5$/ && $kept =~ /^20 is read, 20 is in the store/ && $through =~ /^20 is read, 20 is in the store/;
print "CHANGED: what was changed and expired is written, or the others lose it, too\n" if !$holds;
exit($holds ? 0 : 1);
PL
code=0
LC_ALL=C timeout 120 chroot "$root" /usr/bin/perl /tmp/run.pl || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
