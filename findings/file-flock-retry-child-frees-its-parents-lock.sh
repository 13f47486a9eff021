#!/usr/bin/env bash
# File::Flock::Retry 0.632: a child that ends releases the lock of its parent; of two that share a lock, the first to leave lets a writer in beside the second.
#
# What: whatever releases a lock unlinks its file and unlocks it, and a lock is released when its object goes away. A fork copies the object, and when the child ends, its copy goes away: it unlinks the file and
# ends the lock of both, since flock(2) belongs to the open file that they share. With shared => 1 the file is unlinked while others still have it locked; who comes next makes a new file, and locks that.
# Why it hurts: two processes are in the section that one at a time was to be in, or a writer beside a reader, and nobody is told. A fork for one piece of work under the lock is enough. system() and
# backticks are not: they run no destructor.
# Who should care: who uses this module in programs that fork, and with shared locks. Have the child leave by POSIX::_exit(); flock() of Perl itself on a file that stays has neither.
# Source: File/Flock/Retry.pm (_unlock, DESTROY). Its documentation has "shared", and says of releasing that it removes an empty file; it does not mention fork. Needs perl.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

command -v perl >/dev/null || { echo 'needs perl' >&2; exit 2; }
fetch retry sid libfile-flock-retry-perl=0.632-2

cat >"$work/run.pl" <<'PL'
use strict;
use warnings;
use Fcntl ':flock';
use File::Flock::Retry;

my $folder = shift;
$| = 1;

# Whether another process gets an exclusive lock by this module.
sub another_gets {
    my $path = shift;
    system($^X, '-MFile::Flock::Retry', '-e', 'exit(eval { File::Flock::Retry->lock($ARGV[0], {retries => 0}) } ? 0 : 1)', $path) == 0 ? 'yes' : 'no';
}

sub child_ends {
    my $pid = fork // die $!;
    exit 0 if !$pid;
    waitpid $pid, 0;
}

my $held = File::Flock::Retry->lock("$folder/held");
my $before = another_gets("$folder/held");
child_ends();
my $after = another_gets("$folder/held");

my ($first, $second) = map { File::Flock::Retry->lock("$folder/shared", {shared => 1}) } 1 .. 2;
my $two = another_gets("$folder/shared");
$first->release;
my $one = another_gets("$folder/shared");

# The same with a file that stays, and flock() of Perl.
open my $plain, '>', "$folder/plain" or die $!;
flock $plain, LOCK_EX;
child_ends();
open my $again, '>', "$folder/plain" or die $!;
my $flock = flock($again, LOCK_EX | LOCK_NB) ? 'yes' : 'no';

print "File::Flock::Retry $File::Flock::Retry::VERSION, perl $^V\n";
print "expected: another process gets an exclusive lock when all that hold it have released it\n";
print "seen:     while it is held: $before; when a child of the holder has ended: $after (with flock alone: $flock)\n";
print "          while two share it: $two; when one of them has released it: $one\n";
my $as_told = "$before $after $flock $two $one" eq 'no yes no no yes';
print "CHANGED: the lock lasts until it is released\n" if !$as_told;
exit($as_told ? 0 : 1);
PL
PERL5LIB=$work/retry/usr/share/perl5 timeout 60 perl "$work/run.pl" "$work"
