#!/usr/bin/env bash
# Laravel 13.31 (Eloquent): where the first attempt of DB::transaction($callback, $attempts) is rolled back by a deadlock, the second one stores nothing of a model that was read, or made, outside: nothing is "dirty" any more.
#
# What: a save() within the transaction counts its columns as stored, and a new model as existing with its id, and a rollback restores neither. In the second attempt update() and save() of the same values send nothing, and
# say true; the transaction commits and returns what its callback returns. increment() is sent each time, and the number in memory is counted twice.
# Why it hurts: the attempts are there for deadlocks, which come under load only: the caller is told "done", the model shows the new value, and the database has the old one, or no row at all.
# Who should care: DB::transaction() with attempts. Read or make the models within the callback, or refresh() them at its head.
# Source: Eloquent/Model.php, finishSave() (syncOriginal) and performInsert() (exists); Concerns/ManagesTransactions.php; the manual's "Handling Deadlocks" does not speak of models. Needs chroot.
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
fetch php sid php-illuminate-database=13.31.0+dfsg-2 php8.4-cli=8.4.27-1 php8.4-common=8.4.27-1 php8.4-sqlite3=8.4.27-1 php8.4-mbstring=8.4.27-1 php8.4-opcache=8.4.27-1 php-brick-math php-carbon-doctrine-types \
  php-dflydev-dot-access-data php-doctrine-inflector php-dragonmantank-cron-expression php-fruitcake-php-cors php-graham-campbell-result-type php-guzzlehttp-guzzle php-guzzlehttp-promises \
  php-guzzlehttp-psr7 php-guzzlehttp-uri-template php-illuminate-auth php-illuminate-bus php-illuminate-cache php-illuminate-collections php-illuminate-conditionable php-illuminate-config \
  php-illuminate-console php-illuminate-container php-illuminate-contracts php-illuminate-events php-illuminate-filesystem php-illuminate-http php-illuminate-image php-illuminate-log \
  php-illuminate-macroable php-illuminate-pagination php-illuminate-pipeline php-illuminate-queue php-illuminate-redis php-illuminate-reflection php-illuminate-session php-illuminate-support \
  php-illuminate-view php-laravel-prompts php-laravel-serializable-closure php-league-commonmark php-league-config php-league-flysystem php-league-mime-type-detection php-league-uri \
  php-league-uri-interfaces php-monolog php-nesbot-carbon php-nette-schema php-nette-utils php-nunomaduro-termwind php-phpoption php-psr-cache php-psr-clock php-psr-container php-psr-event-dispatcher \
  php-psr-http-client php-psr-http-factory php-psr-http-message php-psr-log php-psr-simple-cache php-ramsey-collection php-ramsey-uuid php-symfony-cache php-symfony-cache-contracts php-symfony-clock \
  php-symfony-console php-symfony-deprecation-contracts php-symfony-error-handler php-symfony-event-dispatcher php-symfony-event-dispatcher-contracts php-symfony-finder php-symfony-http-foundation \
  php-symfony-http-kernel php-symfony-mime php-symfony-polyfill-php85 php-symfony-polyfill-php86 php-symfony-polyfill-time php-symfony-process php-symfony-service-contracts php-symfony-string \
  php-symfony-translation php-symfony-translation-contracts php-symfony-uid php-symfony-var-dumper php-symfony-var-exporter php-vlucas-phpdotenv php-voku-portable-ascii  php-illuminate-broadcasting \
  php-illuminate-concurrency php-illuminate-process libargon2-1 libc6 libgcc-s1 libicu78 libonig5 libpcre2-8-0 libsodium26 libsqlite3-0 libssl3t64 libstdc++6 libxml2-16 libzstd1 tzdata zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.php" <<'PHP'
<?php
require '/usr/share/php/Illuminate/Database/autoload.php';

use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Eloquent\Model;

class Account extends Model
{
    public $timestamps = false;
    protected $guarded = [];
}

touch('/tmp/accounts.db');
$capsule = new Manager();
$capsule->addConnection(['driver' => 'sqlite', 'database' => '/tmp/accounts.db']);
$capsule->setAsGlobal();
$capsule->bootEloquent();
$db = $capsule->getConnection();
$db->statement('CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER)');

/** What the caller is told of a transaction with three attempts that makes $change, and whose first attempt ends in a deadlock, as MariaDB says it to a later statement; and what is stored then. */
function attempted($db, Account $account, callable $change): string
{
    $attempts = 0;
    $told = $db->transaction(function () use ($account, $change, &$attempts) {
        $change($account);
        if (++$attempts === 1) {
            throw new PDOException('Deadlock found when trying to get lock; try restarting transaction');
        }
        return 'done';
    }, 3);
    $stored = Account::find($account->id)?->cents ?? 'nothing';
    return "\"$told\" after $attempts attempts, the model says {$account->cents}, stored: $stored";
}

$set = fn (Account $account) => $account->update(['cents' => 900]);
$seen = [
    'read and changed' => attempted($db, Account::create(['cents' => 1000]), $set),
    'made and saved' => attempted($db, new Account(['cents' => 900]), fn (Account $account) => $account->save()),
    'read within' => attempted($db, Account::create(['cents' => 1000]), fn (Account $account) => Account::find($account->id)->update(['cents' => 900]) && $account->refresh()),
];
echo 'PHP ', PHP_VERSION, ", Laravel 13.31.0\n";
echo "expected: what the first attempt could not store is stored by the second: 900\n";
foreach ($seen as $case => $line) {
    echo "seen:     $case: $line\n";
}
$done = '"done" after 2 attempts, the model says 900, stored: ';
if (array_values($seen) !== ["{$done}1000", "{$done}nothing", "{$done}900"]) {
    echo "CHANGED: the second attempt stores it\n";
    exit(1);
}
PHP
code=0
env -i PATH=/usr/bin:/usr/sbin timeout 60 chroot "$root" /usr/bin/php8.4 -n -d extension=ctype -d extension=tokenizer -d extension=mbstring -d extension=pdo -d extension=pdo_sqlite /tmp/run.php 2>"$work/log" || code=$?
if ((code > 1)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
