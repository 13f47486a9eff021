#!/usr/bin/env bash
# cron-expression 3.6.1 (PHP, behind Laravel's and Symfony's schedulers): on the night when summer time ends a daily job at 3 in Berlin is due at 2 as well, and one at 2:30 in New York at 1:30: twice, an hour apart.
#
# What: of the hour that comes twice the second one counts as the hour itself and as the one after it. A job in the repeated hour is due in both, as elsewhere; one in the hour behind it, which comes once, is due an hour
# early, and again at its time. isDue(), getNextRunDate() and Laravel's own Event say so. Laravel warns that a job "may run twice or even not run at all" when the time changes, and names neither the hour nor which.
# Why it hurts: jobs are put at 3 to be out of the repeated hour; an invoice run or a monthly report at 3 on that Sunday runs twice, and the first one before what is to be ready at 3.
# Who should care: schedules with a zone of their own in PHP. Schedules in UTC, or a job that counts what it has done by date.
# Source: Cron/HoursField.php, isSatisfiedBy() (the offset of the last transition), NextRunDateTime; Laravel, "Scheduling Timezones". Needs chroot.
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
root=$work/php
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch php sid php-dragonmantank-cron-expression=3.6.1-1 php8.4-cli=8.4.27-1 php8.4-common=8.4.27-1 php8.4-opcache=8.4.27-1 libargon2-1 libc6 libgcc-s1 libicu78 libpcre2-8-0 libsodium26 libssl3t64 libstdc++6 libxml2-16 \
  libzstd1 tzdata zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.php" <<'PHP'
<?php
require '/usr/share/php/Cron/autoload.php';

use Cron\CronExpression;

/** The minutes of the 24 hours from $from on in which $expression is due, asked for each minute, as a crontab's `* * * * *` does for Laravel. */
function due(string $expression, string $zone, string $from): string
{
    $cron = new CronExpression($expression);
    $start = (new DateTimeImmutable($from, new DateTimeZone($zone)))->getTimestamp();
    $due = [];
    for ($second = $start; $second < $start + 86400; $second += 60) {
        $minute = (new DateTimeImmutable("@$second"))->setTimezone(new DateTimeZone($zone));
        if ($cron->isDue($minute, $zone)) {
            $due[] = $minute->format('H:i T');
        }
    }
    return implode(', ', $due);
}

/** The next two runs after $from, as Symfony's scheduler asks for them. */
function following(string $expression, string $zone, string $from): string
{
    $cron = new CronExpression($expression);
    $first = $cron->getNextRunDate(new DateTimeImmutable($from, new DateTimeZone($zone)), 0, false, $zone);
    $second = $cron->getNextRunDate($first, 0, false, $zone);
    return $first->format('d H:i T') . ', ' . $second->format('d H:i T');
}

echo 'PHP ', PHP_VERSION, "\n";
echo "expected: a daily job at 3:00 in Berlin, or at 2:30 in New York, hours that come once, is due once on the day when summer time ends\n";
$seen = [
    'Berlin, 3:00' => due('0 3 * * *', 'Europe/Berlin', '2026-10-24 12:00'),
    'Berlin, 3:00, the next two runs' => following('0 3 * * *', 'Europe/Berlin', '2026-10-24 12:00'),
    'New York, 2:30' => due('30 2 * * *', 'America/New_York', '2026-10-31 12:00'),
    'Berlin, 4:00' => due('0 4 * * *', 'Europe/Berlin', '2026-10-24 12:00'),
];
foreach ($seen as $job => $runs) {
    echo "seen:     $job: $runs\n";
}
if (array_values($seen) !== ['02:00 CET, 03:00 CET', '25 02:00 CET, 25 03:00 CET', '01:30 EST, 02:30 EST', '04:00 CET']) {
    echo "CHANGED: they are due once\n";
    exit(1);
}
PHP
code=0
env -i PATH=/usr/bin:/usr/sbin timeout 100 chroot "$root" /usr/bin/php8.4 -n /tmp/run.php 2>"$work/log" || code=$?
if ((code > 1)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
