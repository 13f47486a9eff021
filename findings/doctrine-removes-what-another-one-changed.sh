#!/usr/bin/env bash
# Doctrine ORM 3.7.5: with #[Version] an outdated entity is refused when it is changed, and not when it is removed: remove() and flush() delete the row over what another one has stored since.
#
# What: an UPDATE has "AND version = ?" in it and raises OptimisticLockException, a DELETE has the identifier only. The rows that it cascades to, and orphans, go the same way; lock($entity, OPTIMISTIC, $version) compares
# with the entity in memory, so that it says yes to the outdated one. JPA, SQLAlchemy, ActiveRecord and Sequel compare in both.
# Why it hurts: "nobody has confirmed this order, so cancel it": it was confirmed, and paid, between the read and the flush; the row is gone with what was confirmed, and nobody is told.
# Who should care: optimistic locking in Doctrine and Symfony. A change before the removal in the same transaction, flushed by itself (a state "removed"), is compared; or PESSIMISTIC_WRITE.
# Source: Persisters/Entity/BasicEntityPersister.php, delete() beside update(); the manual's "Transactions and Concurrency" speaks of changes that are persisted, and not of removals. Needs chroot.
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
fetch php sid php-doctrine-orm=3.7.5+dfsg-1 php8.4-cli=8.4.27-1 php8.4-common=8.4.27-1 php8.4-sqlite3=8.4.27-1 php8.4-opcache=8.4.27-1 php-doctrine-dbal=4.5.0+dfsg-1 php-doctrine-collections php-doctrine-deprecations \
  php-doctrine-event-manager php-doctrine-inflector php-doctrine-instantiator php-doctrine-lexer php-doctrine-persistence php-psr-cache php-psr-container php-psr-log php-psr-simple-cache php-symfony-cache \
  php-symfony-cache-contracts php-symfony-console php-symfony-contracts php-symfony-deprecation-contracts php-symfony-polyfill-php86 php-symfony-service-contracts php-symfony-string php-symfony-var-exporter libargon2-1 \
  libc6 libgcc-s1 libicu78 libpcre2-8-0 libsodium26 libsqlite3-0 libssl3t64 libstdc++6 libxml2-16 libzstd1 tzdata zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.php" <<'PHP'
<?php
require '/usr/share/php/Doctrine/ORM/autoload.php';
require '/usr/share/php/Symfony/Component/Cache/autoload.php';

use Doctrine\Common\Collections\ArrayCollection;
use Doctrine\DBAL\DriverManager;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping as ORM;
use Doctrine\ORM\ORMSetup;
use Doctrine\ORM\Tools\SchemaTool;
use Symfony\Component\Cache\Adapter\ArrayAdapter;

#[ORM\Entity]
class Booking
{
    #[ORM\Id, ORM\Column]
    public int $id;
    #[ORM\Column]
    public string $state = 'asked for';
    #[ORM\Version, ORM\Column(type: 'integer')]
    public int $version;
}

/** A manager of its own, as another process has one. */
function manager(): EntityManager
{
    $config = ORMSetup::createAttributeMetadataConfiguration([__DIR__], true, '/tmp', new ArrayAdapter());
    $config->enableNativeLazyObjects(true);
    return new EntityManager(DriverManager::getConnection(['driver' => 'pdo_sqlite', 'path' => '/tmp/bookings'], $config), $config);
}

/** What ann is told of $change, which she makes to what she read before bob confirmed it, and what is stored then. */
function outdated(int $id, callable $change): string
{
    $ann = manager();
    $mine = $ann->find(Booking::class, $id);
    $bob = manager();
    $bob->find(Booking::class, $id)->state = 'confirmed by bob';
    $bob->flush();
    try {
        $change($ann, $mine);
        $ann->flush();
        $told = 'accepted';
    } catch (Throwable $error) {
        $told = (new ReflectionClass($error))->getShortName();
    }
    $stored = manager()->find(Booking::class, $id);
    return "$told, stored: " . ($stored ? $stored->state : 'nothing');
}

$first = manager();
(new SchemaTool($first))->createSchema($first->getMetadataFactory()->getAllMetadata());
foreach ([1, 2] as $id) {
    $booking = new Booking();
    $booking->id = $id;
    $first->persist($booking);
}
$first->flush();
$changed = outdated(1, function ($ann, $mine) {
    $mine->state = 'cancelled by ann';
});
$removed = outdated(2, function ($ann, $mine) {
    $ann->remove($mine);
});
echo 'PHP ', PHP_VERSION, "\n";
echo "expected: what bob confirmed since it was read is neither changed nor removed by ann: OptimisticLockException\n";
echo "seen:     changed: $changed\n";
echo "          removed: $removed\n";
if ($changed !== 'OptimisticLockException, stored: confirmed by bob' || $removed !== 'accepted, stored: nothing') {
    echo "CHANGED: an outdated entity is not removed\n";
    exit(1);
}
PHP
code=0
env -i PATH=/usr/bin:/usr/sbin timeout 60 chroot "$root" /usr/bin/php8.4 -n -d extension=ctype -d extension=tokenizer -d extension=pdo -d extension=pdo_sqlite /tmp/run.php 2>"$work/log" || code=$?
if ((code > 1)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
