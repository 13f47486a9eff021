#!/usr/bin/env bash
# kombu 5.6.2: over the file system and over SQL a message whose consumer was killed before it acknowledged is gone; over Redis it is given to another one.
#
# What: taking a message removes its file, or marks its row as taken for good. Until it is acknowledged it is in the memory of the consumer only, which puts it back when it is closed in order. Nothing looks for those
# of a consumer that was not: there is no visibility_timeout as over Redis.
# Why it hurts: acknowledging late is what one does so that a job is not lost with its worker (task_acks_late of Celery). Here it changes nothing: each kill, each want of memory, each power cut loses what was at work,
# and what was fetched ahead with it, by default four for each process. No error, no trace, but in SQL a row that nobody will read.
# Who should care: who runs Celery or kombu with filesystem:// or sqlalchemy+ and counts on acks_late.
# Source: kombu/transport/filesystem.py and kombu/transport/sqlalchemy, Channel._get(). The documentation in neither of them mentions it. Needs python3 and redis-server.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

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

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in python3 redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch kombu sid python3-kombu=5.6.2-2 python3-amqp python3-vine python3-packaging python3-sqlalchemy python3-typing-extensions python3-redis python3-async-timeout
port=$(free_port)
redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log" 2>&1 &
pids+=("$!")

cat >"$work/run.py" <<'PY'
import os, queue, signal, socket, subprocess, sys, time
import kombu

folder, port, role, *rest = sys.argv[1:]
FILES = {"data_folder_in": f"{folder}/files", "data_folder_out": f"{folder}/files", "control_folder": f"{folder}/control"}
WAYS = {
    "filesystem": ("filesystem://", FILES),
    "sqlalchemy": (f"sqlalchemy+sqlite:///{folder}/queue.sqlite", {}),
    "redis": (f"redis://127.0.0.1:{port}", {"visibility_timeout": 2}),
}


def connect(way):
    return kombu.Connection(WAYS[way][0], transport_options=WAYS[way][1])


if role == "worker":
    with connect(rest[0]) as connection:
        print(connection.SimpleQueue("jobs").get(timeout=10).payload, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

for name in ("files", "control"):
    os.makedirs(f"{folder}/{name}")
for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", int(port))).close()
        break
    except OSError:
        time.sleep(0.1)


def killed(way):
    """What a worker took that was killed before it acknowledged, and what the next one is given."""
    with connect(way) as connection:
        connection.SimpleQueue("jobs").put("the job")
    worker = subprocess.run([sys.executable, __file__, folder, port, "worker", way], capture_output=True, text=True, timeout=30)
    time.sleep(3)
    with connect(way) as connection:
        jobs = connection.SimpleQueue("jobs")
        # Over Redis it is looked for after every ten times that nothing was there.
        for _ in range(15):
            try:
                message = jobs.get(timeout=1)
                message.ack()
                return worker.stdout.strip(), message.payload
            except queue.Empty:
                pass
    return worker.stdout.strip(), "nothing"


seen = {way: killed(way) for way in WAYS}
print(f"kombu {kombu.__version__}, Python {sys.version.split()[0]}")
print("expected: what a worker took, and did not acknowledge, since it was killed, is given to the next one")
for way, (taken, given) in seen.items():
    print(f"seen:     {way}: the worker took {taken!r}; the next one is given {given!r}")
as_told = seen == {"filesystem": ("the job", "nothing"), "sqlalchemy": ("the job", "nothing"), "redis": ("the job", "the job")}
if not as_told:
    print("CHANGED: what was not acknowledged is given again, or not over Redis")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/kombu/usr/lib/python3/dist-packages timeout 120 python3 "$work/run.py" "$work" "$port" run
