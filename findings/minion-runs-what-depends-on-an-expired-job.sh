#!/usr/bin/env bash
# Minion 12.0: a job whose parent expired, and so was never run, is run: "all need to have reached the state finished before it can be processed".
#
# What: a parent counts while it is active, failed, or inactive and not expired. Once its `expire` is over, a worker runs what depends on it, whatever it was to do first.
# A parent that failed holds its children back until it was retried, or removed, as the manual says.
# Why it hurts: `expire` is given to what must not be done late: a charge, a lock of stock, a check. With the workers away for longer than that, the first thing they do is to ship what was not paid.
# Who should care: who uses `expire` and `parents` together. Give the children the same time, or look at the parents in the child: `$job->parents` with their states.
# Source: Minion/Backend/SQLite.pm, dequeue; Minion/Guide.pod, "Job dependencies". Needs chroot.
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
# perl of the release lives in a folder with its libraries.
root=$work/minion
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch minion sid libminion-perl=12.0+dfsg-1 libminion-backend-sqlite-perl=6.0.0-1 libmojo-sqlite-perl libmojolicious-perl libyaml-libyaml-perl libyaml-0-2 libdbd-sqlite3-perl libdbi-perl libsqlite3-0 \
  libsql-abstract-pg-perl libsql-abstract-perl libmoo-perl libclass-method-modifiers-perl librole-tiny-perl libsub-quote-perl libmodule-runtime-perl libhash-merge-perl libclone-choose-perl \
  liburi-db-perl liburi-nested-perl liburi-perl libio-socket-ip-perl zlib1g perl-base perl-modules-5.42 libperl5.42 libc6 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3

cat >"$root/tmp/run.pl" <<'PL'
use Mojo::Base -strict;
use Minion;

my $minion = Minion->new(SQLite => 'sqlite:/tmp/minion.db');
$minion->add_task($_ => sub { my $job = shift; die "declined\n" if $job->args->[0] }) for qw(charge ship);

# What became of a charge, and of the shipping that depends on it, after workers came three seconds later.
sub charge {
    my ($fails, %options) = @_;
    my $charge = $minion->enqueue(charge => [$fails], \%options);
    my $ship   = $minion->enqueue(ship => [0], {parents => [$charge]});
    sleep 3;
    my $worker = $minion->worker->register;
    my $state  = sub { my $job = $minion->job(shift); $job ? $job->info->{state} : 'gone' };
    my $before = $state->($charge);
    while (my $job = $worker->dequeue(0)) { $job->perform }
    $worker->unregister;
    return sprintf 'the charge is %s, then %s, the shipping %s', $before, map { $state->($_) } $charge, $ship;
}
my $made    = charge(0);
my $failed  = charge(1);
my $expired = charge(0, expire => 1);
print "Minion $Minion::VERSION, Minion::Backend::SQLite $Minion::Backend::SQLite::VERSION, perl $^V\n";
print "expected: what depends on a charge is done after it, and waits where the charge was not made\n";
print "seen:     a charge that is made:   $made\n";
print "          a charge that fails:     $failed\n";
print "          a charge that expired:   $expired\n";
my @states = map { join ' ', /is (\w+), then (\w+), the shipping (\w+)/ } $made, $failed, $expired;
my $holds = "@states" =~ /^inactive finished finished inactive failed inactive (inactive|gone) (inactive|gone) finished$/;
print "CHANGED: what depends on a job that expired waits, or a failed one lets it run\n" if !$holds;
exit($holds ? 0 : 1);
PL
code=0
LC_ALL=C timeout 60 chroot "$root" /usr/bin/perl /tmp/run.pl || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
