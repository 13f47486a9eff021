#!/usr/bin/env bash
# kombu 5.6.2: over the file system a consumer of the queue "orders" is given the messages of "eu.orders", and purging the one empties the other.
#
# What: a message is a file whose name ends in a dot, the name of its queue and ".msg", and a queue's messages are those whose file name contains that: ".orders.msg" is in ".eu.orders.msg", too. So each queue has
# the messages of all whose names end in a dot and its own name. In memory, in SQL and in Redis it has its own.
# Why it hurts: messages go to a worker that they are not for, which acknowledges them; those that they are for never see them. purge() and the size count them as well. Names with dots are the usual ones, and
# with Celery a queue "celery" beside "eu.celery" is enough.
# Who should care: who runs Celery or kombu with filesystem://, as on one machine without a broker. No queue name that ends in a dot and another one's.
# Source: kombu/transport/filesystem.py, Channel._get(), _purge() and _size(). Needs python3.
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

command -v python3 >/dev/null || { echo 'needs python3' >&2; exit 2; }
fetch kombu sid python3-kombu=5.6.2-2 python3-amqp python3-vine python3-packaging

cat >"$work/run.py" <<'PY'
import os, queue, sys
import kombu

folder = sys.argv[1]
for name in ("files", "control"):
    os.makedirs(f"{folder}/{name}")
OPTIONS = {"data_folder_in": f"{folder}/files", "data_folder_out": f"{folder}/files", "control_folder": f"{folder}/control"}


def taken(url, options):
    """What a consumer of "orders" is given, and what is left in "eu.orders" for its own, after one message each was put there; then what a purge of "orders" leaves."""
    with kombu.Connection(url, transport_options=options) as connection:
        orders, eu = connection.SimpleQueue("orders"), connection.SimpleQueue("eu.orders")

        def all_of(source):
            messages = []
            try:
                while True:
                    message = source.get(block=False)
                    message.ack()
                    messages.append(message.payload)
            except queue.Empty:
                return messages

        eu.put("for eu.orders")
        given, left = all_of(orders), all_of(eu)
        eu.put("for eu.orders, the second")
        orders.clear()
        return given, left, all_of(eu)


memory, files = taken("memory://", {}), taken("filesystem://", OPTIONS)
print(f"kombu {kombu.__version__}, Python {sys.version.split()[0]}")
print('expected: what was put into "eu.orders" is given to a consumer of "eu.orders", and a purge of "orders" leaves it')
for name, (given, left, purged) in (("in memory", memory), ("in files", files)):
    print(f'seen:     {name}: "orders" was given {given}, "eu.orders" {left}; after a purge of "orders": {purged}')
first, second = ["for eu.orders"], ["for eu.orders, the second"]
as_told = memory == ([], first, second) and files == (first, [], [])
if not as_told:
    print("CHANGED: each queue has its own messages")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/kombu/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work"
