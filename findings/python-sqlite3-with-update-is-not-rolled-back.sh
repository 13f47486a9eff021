#!/usr/bin/env bash
# Python 3.14.10, sqlite3: an UPDATE, INSERT or DELETE that begins with WITH is stored at once: `with connection:` and `rollback()` take back all but it.
#
# What: a transaction is begun before "INSERT/UPDATE/DELETE/REPLACE" statements, says the documentation, and what counts as one is told by the first word of its text. If it comes first in a transaction, it is committed
# by itself; behind another write it is in that one's transaction, and all is well. rowcount is -1, as documented. With autocommit=False (since 3.12, not the default) all is right.
# Why it hurts: half of what was to be all or nothing is stored, and it depends on the order of the statements. SQLAlchemy on SQLite hands it on: its session rolls back, and the rows that were updated by a CTE stay.
# Who should care: who writes by common table expressions: moving rows between tables, claiming jobs, balances. `autocommit=False`, or BEGIN by hand.
# Source: Modules/_sqlite/statement.c (is_dml); library reference, "Transaction control via the isolation_level attribute". Needs chroot.
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
root=$work/python
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch python sid python3.14=3.14.10-1 python3-sqlalchemy=2.0.52+ds1-1 python3-typing-extensions python3.14-minimal libpython3.14-minimal libpython3.14-stdlib libc6 zlib1g libexpat1 libsqlite3-0 libssl3t64 libffi8 libbz2-1.0 liblzma5 libzstd1 libgcc-s1 libuuid1 libcrypt1
mknod -m 666 "$root/dev/null" c 1 3

cat >"$root/tmp/run.py" <<'PY'
import sqlite3, sys

import sqlalchemy
from sqlalchemy.orm import Session

WITH = "WITH fee (cents) AS (VALUES (100)) UPDATE account SET cents = cents - (SELECT cents FROM fee)"
PLAIN = "UPDATE account SET cents = cents - 100"


def failed(statements, **options):
    """What is left of 1,000 cents after a transaction of these statements that fails at its end."""
    connection = sqlite3.connect(":memory:", **options)
    connection.execute("CREATE TABLE account (cents INTEGER)")
    connection.execute("INSERT INTO account VALUES (1000)")
    connection.commit()
    try:
        with connection:
            for statement in statements:
                connection.execute(statement)
            raise ValueError("the second half cannot be made")
    except ValueError:
        pass
    return connection.execute("SELECT cents FROM account").fetchone()[0]


def by_sqlalchemy():
    """The same by a session of SQLAlchemy over a file."""
    engine = sqlalchemy.create_engine("sqlite:////tmp/state")
    account = sqlalchemy.Table("account", sqlalchemy.MetaData(), sqlalchemy.Column("cents", sqlalchemy.Integer))
    account.create(engine)
    with engine.begin() as connection:
        connection.execute(account.insert().values(cents=1000))
    fee = sqlalchemy.select(sqlalchemy.literal(100).label("cents")).cte("fee")
    with Session(engine) as session:
        session.execute(account.update().values(cents=account.c.cents - sqlalchemy.select(fee.c.cents).scalar_subquery()))
        session.rollback()
        return session.execute(sqlalchemy.select(account.c.cents)).scalar()


seen = {
    "UPDATE": failed([PLAIN]),
    "WITH ... UPDATE": failed([WITH]),
    "WITH ... UPDATE, then UPDATE": failed([WITH, PLAIN]),
    "UPDATE, then WITH ... UPDATE": failed([PLAIN, WITH]),
    "WITH ... UPDATE, autocommit=False": failed([WITH], autocommit=False),
    "a session of SQLAlchemy, with a CTE": by_sqlalchemy(),
}
print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, SQLAlchemy {sqlalchemy.__version__}")
print("expected: a transaction that fails leaves 1000, whatever the word is that its statement begins with")
for way, cents in seen.items():
    print(f"seen:     {way}: {cents}")
holds = list(seen.values()) == [1000, 900, 900, 1000, 1000, 900]
if not holds:
    print("CHANGED: what begins with WITH is rolled back, too")
sys.exit(0 if holds else 1)
PY
code=0
timeout 60 chroot "$root" /usr/bin/python3.14 -c 'import runpy, sys; sys.path.insert(1, "/usr/lib/python3/dist-packages"); runpy.run_path("/tmp/run.py")' || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
