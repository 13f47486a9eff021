#!/usr/bin/env bash
# Sequel 5.109 (Ruby): where the first attempt of transaction(retry_on: ...) is rolled back, the second one stores nothing of a model object that was read outside: update() has no change left to send, and the block commits.
#
# What: update() compares with the values in memory, and save() counts a column as stored before the UPDATE is sent. A rollback, or a statement that fails, restores neither: the next update() of the same values, or
# save_changes(), sends nothing and returns nil, as it does where there is nothing to do. ActiveRecord sends it again.
# Why it hurts: retry_on is there for serialization failures, deadlocks and lost connections. The call returns what its block returns, the object shows the new value, and the database has the old one.
# Who should care: retries with Sequel's models, by retry_on or by hand. refresh or read the object within the block; save(changed: false) sends all columns.
# Source: lib/sequel/model/base.rb, _save() (_clear_changed_columns before _update_columns) and change_column_value(); "Automatically Restarting Transactions" asks for a block that is idempotent, as this one is. Needs chroot.
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
fetch ruby sid ruby-sequel=5.109.0-1 ruby-activerecord=2:7.2.4+dfsg-2 ruby3.3=3.3.8-2.2 libruby3.3=3.3.8-2.2 ruby-sqlite3=2.9.6-2 ruby-mini-portile2 ruby-activesupport ruby-activemodel ruby-base64 ruby-concurrent ruby-connection-pool ruby-i18n ruby-json \
  ruby-minitest ruby-tzinfo rubygems-integration libc6 libcrypt1 libffi8 libgcc-s1 libgmp10 libsqlite3-0 libssl3t64 libyaml-0-2 libzstd1 zlib1g
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.rb" <<'RUBY'
require 'active_record'
require 'sequel'

# The attempts are refused by the database itself: a trigger, which is gone for the second one.
REFUSE = "CREATE TRIGGER refuse BEFORE UPDATE ON accounts BEGIN SELECT raise(ABORT, 'busy'); END"
ALLOW = 'DROP TRIGGER refuse'

DB = Sequel.sqlite
DB.create_table(:accounts) do
  primary_key :id
  Integer :cents
end
class Account < Sequel::Model; end

# What retry_on makes of a transaction that is rolled back at its end the first time, as by a COMMIT that is refused.
def retried(account)
  attempts = 0
  answer = DB.transaction(retry_on: Sequel::SerializationFailure) do
    account.update(cents: 900)
    raise Sequel::SerializationFailure if (attempts += 1) == 1

    'done'
  end
  "\"#{answer}\" after #{attempts} attempts, the object says #{account.cents}, stored: #{Account[account.id].cents}"
end

# The same update made again by hand, after a first one that the database refused.
def again(refuse, allow, account, stored)
  refuse.call
  begin
    account.update(cents: 900)
  rescue Sequel::DatabaseError, ActiveRecord::StatementInvalid => e
    first = e.class.name
  end
  allow.call
  answer = account.update(cents: 900)
  "#{first}, then #{answer.inspect[0, 4]}, stored: #{stored.call}"
end

ActiveRecord::Base.establish_connection(adapter: 'sqlite3', database: ':memory:')
ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define { create_table(:accounts) { |t| t.integer :cents } }
class Record < ActiveRecord::Base
  self.table_name = 'accounts'
end

seen = []
seen << retried(Account.create(cents: 1000))
mine = Account.create(cents: 1000)
seen << again(-> { DB.run(REFUSE) }, -> { DB.run(ALLOW) }, mine, -> { Account[mine.id].cents })
record = Record.create!(cents: 1000)
sql = ->(text) { Record.connection.execute(text) }
seen << again(-> { sql.call(REFUSE) }, -> { sql.call(ALLOW) }, record, -> { Record.find(record.id).cents })
puts "Ruby #{RUBY_VERSION}, Sequel #{Sequel.version}, ActiveRecord #{ActiveRecord.version}"
puts 'expected: what an attempt that was rolled back could not store is stored by the next one: 900'
puts "seen:     Sequel, retry_on: #{seen[0]}"
puts "          Sequel, by hand: #{seen[1]}"
puts "          ActiveRecord, by hand: #{seen[2]}"
holds = seen == ['"done" after 2 attempts, the object says 900, stored: 1000', 'Sequel::DatabaseError, then nil, stored: 1000', 'ActiveRecord::StatementInvalid, then true, stored: 900']
puts 'CHANGED: the second attempt stores it' unless holds
# An error that nobody caught ends Ruby with 1.
exit(holds ? 0 : 4)
RUBY
code=0
env -i PATH=/usr/bin:/usr/sbin timeout 100 chroot "$root" /usr/bin/ruby3.3 /tmp/run.rb 2>"$work/log" || code=$?
if ((code != 0 && code != 4)); then cat "$work/log" >&2; exit 2; fi
((code == 0))
