#!/usr/bin/env bash
# The whole story in one command: a cluster of its own, the clients, the migration from one acceptor to three and back, a node lost.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")

usage() {
  cat <<'END'
usage: tour.sh [--docker | --local] [--step] [--keep] [--help]

Shows the whole story in about a minute, unattended: starts a cluster of its own, in Docker or, where no Docker engine answers, as local
processes; grows it from one acceptor to three and shrinks it back while clients write; kills an acceptor; removes all that it started.
A cluster that you run is left alone.

  --docker   in Docker, or not at all
  --local    as local processes
  --step     waits before each command until Enter is pressed
  --keep     leaves the cluster as it is at the end, and says how to remove it

Exit code 0: no update was lost and no client saw a network error.
END
}

mode='' step='' keep=''
for argument; do
  case $argument in
    --docker | --local)
      if [ -n "$mode" ] && [ "$mode" != "$argument" ]; then
        printf 'Either --docker or --local.\n\n' >&2
        usage >&2
        exit 2
      fi
      mode=$argument
      ;;
    --step) step=yes ;;
    --keep) keep=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      printf 'Unknown argument "%s".\n\n' "$argument" >&2
      usage >&2
      exit 2
      ;;
  esac
done

# Nine ports in a row, below those that the system gives to connections, and none that the bench or a test takes: a node is to find its own again.
free_ports() {
  local first port
  while :; do
    first=$((10000 + RANDOM % 1990))
    for port in 0 1 2 3 4 5 6 7 8; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((first + port))") 2>/dev/null; then continue 2; fi
    done
    echo "$first"
    return
  done
}

# A name, a folder and ports of its own.
user=$(id -u)
export COMPOSE_PROJECT_NAME=caspaxos-tour-$user CLUSTER_DIR="$here/.cluster-tour"
port=$(free_ports)
export PROPOSER_1_PORT=$port PROPOSER_2_PORT=$((port + 1)) PROPOSER_1_ADMIN_PORT=$((port + 2)) PROPOSER_2_ADMIN_PORT=$((port + 3))
export ACCEPTOR_1_PORT=$((port + 4)) ACCEPTOR_2_PORT=$((port + 5)) ACCEPTOR_3_PORT=$((port + 6))
export CONTROL_PORT=$((port + 7)) CLIENT_PORT=$((port + 8))
unset CLUSTER

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi

# How long the funnel shows the effect of a step before the next one.
look_seconds=1

scratch=$(mktemp -d)
client='' starting=''
failed_step='starting the cluster'

title() {
  printf '\n%s== %s%s\n' "$bold" "$1" "$plain"
}

# The end of what is typed counts as Enter: whoever has no keyboard gets the tour as it is.
wait_for_enter() {
  if [ -z "$step" ]; then return; fi
  printf '%s(Enter)%s ' "$bold" "$plain"
  read -r _ || step=''
}

# On which acceptors a key is that nobody writes, as the page shows it.
show_key() { # KEY
  if ! command -v curl >/dev/null; then return; fi
  printf '%s$ curl localhost:%s/keys?key=%s%s\n' "$bold" "$CONTROL_PORT" "$1" "$plain"
  local holds='s/^\(acceptor-[0-9]*\):.*"value":"\([^,]*\)","version":\([1-9][0-9]*\).*/    \1 holds \2, version \3/p'
  local lacks='s/^\(acceptor-[0-9]*\):.*/    \1 holds nothing of it/p'
  # A line for each acceptor; the value is JSON inside JSON.
  curl -s -w '\n' "http://127.0.0.1:$CONTROL_PORT/keys?key=$1" | sed 's/{"acceptor":"/\
/g' | sed 's/\\//g' | sed -n -e "$holds" -e t -e "$lacks"
}

# Runs a command as it stands in the README, marked where it happens between the seconds of the funnel.
type_command() {
  failed_step=$*
  wait_for_enter
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  (cd "$here/node-control" && "$@") | sed 's/^/    /'
  sleep "$look_seconds"
}

explain() {
  printf '  %s\n' "$@"
}

# Whoever reads may be gone, and nothing that is written is to end what removes the cluster.
indent() {
  local line
  while IFS= read -r line; do printf '    %s\n' "$line" 2>/dev/null || true; done
}

finish() { # EXIT CODE
  code=$1
  trap '' INT TERM HUP PIPE
  set +e
  # The reader of a pipe ends with Ctrl-C, too.
  echo 2>/dev/null || exec >&2
  for program in $starting $client; do
    kill "$program" 2>/dev/null || true
    wait "$program" 2>/dev/null || true
  done
  if [ "$code" -ne 0 ] && [ -n "$failed_step" ]; then printf '\nThe tour ended early, at: %s\n' "$failed_step" >&2; fi
  if [ -n "$keep" ] && [ "$code" -eq 0 ]; then
    title 'The cluster stays'
    explain "The page: http://localhost:$CONTROL_PORT/. The proposers: http://localhost:$PROPOSER_1_PORT/ and http://localhost:$PROPOSER_2_PORT/." \
      'The next tour, or this, removes it:' "  COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME CLUSTER_DIR=$CLUSTER_DIR $here/clear.sh"
  else
    title 'Removing what the tour started'
    "$here/clear.sh" 2>&1 | indent || code=1
  fi
  rm -rf "$scratch" "$lock"
  exit "$code"
}

# One tour at a time: a second one would take the first one's cluster for the leftovers of a crash.
lock=${TMPDIR:-/tmp}/caspaxos-tour.$user.pid
if [ -f "$lock" ] && ps -o args= -p "$(cat "$lock")" 2>/dev/null | grep -q 'tour\.sh'; then
  echo "A tour runs already (process $(cat "$lock")). Wait for its end, or end it: kill $(cat "$lock")" >&2
  exit 1
fi
echo $$ >"$lock"

# A second one, as Ctrl-C and the end of the reader come together, would cut short what the first one begins.
end() { # EXIT CODE
  trap '' INT TERM HUP PIPE
  exit "$1"
}

trap 'finish $?' EXIT
trap 'end 130' INT
trap 'end 143' TERM
trap 'end 129' HUP
trap 'end 141' PIPE

title 'Seven nodes: three acceptors (Redis), two proposers (Express), a client, a control node'
"$here/clear.sh" >/dev/null # what a tour that crashed may have left
# Words of the mode only where there is one: bash 3.2 calls an empty array unset.
"$here/build-run.sh" ${mode:+"$mode"} --detach >"$scratch/start.log" 2>&1 &
starting=$!
printf '  Building and starting; the first time takes a minute or two '
while kill -0 "$starting" 2>/dev/null; do
  sleep 1
  printf '.'
done
printf '\n'
code=0
wait "$starting" || code=$?
if [ "$code" -ne 0 ]; then
  cat "$scratch/start.log" >&2
  exit 1
fi
starting=''
grep -E 'local processes|in Docker|http://' "$scratch/start.log" | sed 's/^ */  /'
url=$(sed -n 's/.*proposer-1 *\(http:[^ ]*\).*/\1/p' "$scratch/start.log" | head -1)

title 'A proposer without acceptors refuses every operation'
printf '%s$ curl %s/kv/hello%s\n' "$bold" "$url" "$plain"
if command -v curl >/dev/null; then curl -s "$url/kv/hello" | sed 's/^/    /' && echo; else echo '    (curl is missing on this machine)'; fi

title 'One acceptor'
type_command ./run-control.sh add-accept all acceptor-1:6379 1
type_command ./run-control.sh add-prepare all acceptor-1:6379 1

if command -v curl >/dev/null; then
  title 'A key that nobody writes any more: watch on which acceptors it is'
  printf '%s$ curl -X PUT %s/kv/colour%s\n' "$bold" "$url" "$plain"
  curl -s -X PUT "$url/kv/colour" -H 'Content-Type: application/json' -d '{"ver": 0, "val": "green"}' | sed 's/^/    /' && echo
fi

title 'Three clients increment random keys through random proposers: [read attempts-reads-writes network errors] a second'
failed_step=./run-client.sh
printf '%s$ ./run-client.sh%s\n' "$bold" "$plain"
"$here/node-control/run-client.sh" > >(tee "$scratch/funnel.log") 2>&1 &
client=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  if grep -q '^2	' "$scratch/funnel.log" 2>/dev/null; then break; fi
  sleep 1
done

grow() {
  type_command ./run-control.sh add-accept all acceptor-2:6379 2
  show_key colour
  type_command ./run-control.sh rescan acceptor-1:6379,acceptor-2:6379 2
  show_key colour
  type_command ./run-control.sh add-prepare all acceptor-2:6379 2
  type_command ./run-control.sh add-accept all acceptor-3:6379 2
  type_command ./run-control.sh add-prepare all acceptor-3:6379 2
}

title 'Growing to three acceptors while the clients run'
explain 'New writes go to acceptor-2, too; the rescan takes the old ones there; only then may reads count on it.' \
  'From two to three nothing is missing: the third is like one that was down from the start.'
grow
type_command ./run-control.sh status

title 'Shrinking back to one: the same in reverse'
type_command ./run-control.sh rm-accept all acceptor-3:6379 2
type_command ./run-control.sh rm-prepare all acceptor-3:6379 2
type_command ./run-control.sh rescan acceptor-1:6379,acceptor-2:6379 2
type_command ./run-control.sh rm-accept all acceptor-2:6379 1
type_command ./run-control.sh rm-prepare all acceptor-2:6379 1

title 'Acceptors that left must forget: what they hold will be stale when they join again'
type_command ./wipe-acceptor-2.sh
type_command ./wipe-acceptor-3.sh

title 'Growing again, and losing an acceptor: two of three go on'
grow
type_command ./fault.sh kill acceptor-1
sleep 3
type_command ./fault.sh start acceptor-1
sleep 1
type_command ./run-control.sh status

title 'The clients end with a check of every key'
explain 'A write whose answer was lost was asked for again, under its name, until its outcome was known:' \
  'each key has grown by exactly what was acknowledged.'
failed_step='the final check'
kill -TERM "$client"
code=0
wait "$client" || code=$?
client=''
sleep 0.5 # for the last lines to pass through tee

# The fourth figure of every coroutine in every second.
network_errors=$(awk -F '[][ ]+' '/^[0-9]+\t/ { for (i = 3; i <= NF; i += 3) sum += $i } END { print sum + 0 }' "$scratch/funnel.log")
seconds=$(grep -cE '^[0-9]+	' "$scratch/funnel.log" || true)
if [ "$code" -ne 0 ]; then
  echo 'The check failed: see above.' >&2
  exit 1
elif [ "$network_errors" -ne 0 ]; then
  echo "The clients saw $network_errors network errors." >&2
  exit 1
elif [ "$seconds" -lt 20 ]; then
  echo "The clients ran for $seconds seconds only, so the check proves little." >&2
  exit 1
fi
failed_step=''
printf '\n%sNo update lost and no network error in %s seconds with 17 steps of membership change (3 of them rescans) and one lost acceptor.%s\n' "$bold" "$seconds" "$plain"
