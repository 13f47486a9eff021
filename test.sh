#!/usr/bin/env bash
# Every check and every test of the project, on this machine.
set -euo pipefail

here=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd "$here"
# shellcheck source-path=SCRIPTDIR source=node-control/scripts/cluster.sh
. "$here/node-control/scripts/cluster.sh"

usage() {
  cat <<'END'
usage: test.sh [--quick] [--help]

Installs what is missing (npm packages, redis-server, Chromium, shellcheck, luacheck), then runs: types, lint, format, shellcheck, luacheck, all tests
against real Redis servers and real processes, some hundred simulated runs, the broken variants of the protocol, every order of delivery in
small worlds, the commands of README.md, the tour and some chaos with local processes, and, where a Docker engine answers, these three again
in Docker. A cluster that you run is left alone. Much of this waits, so that much of it runs side by side: what ran beside another part is
printed after it.

  --quick   without what is named after the simulated runs

Environment: CI=true makes a part that could not run a failure.
END
}

quick=''
for argument; do
  case $argument in
    --quick) quick=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) misuse "Unknown argument \"$argument\"." ;;
  esac
done

scratch=$(mktemp -d)
failed_tests=$scratch/failed-tests
touch "$scratch/passed" "$scratch/failed" "$scratch/missing" "$failed_tests"
# What a process starts while it ends is ended as well.
end_group() { # GROUP
  kill -TERM -- "-$1" 2>/dev/null || return 0
  for _ in {1..10}; do
    kill -0 -- "-$1" 2>/dev/null || return 0
    sleep 1
  done
  kill -KILL -- "-$1" 2>/dev/null || true
}

clean_up() {
  local group
  for group in "$scratch"/*.group; do
    if [ -f "$group" ]; then end_group "$(cat "$group")"; fi
  done
  rm -rf "$scratch"
}
trap clean_up EXIT

# Runs one part, also where an earlier one failed: one run then shows all that is wrong.
part() { # NAME COMMAND...
  local name=$1 begun=$SECONDS used=$scratch/$1.times
  shift
  printf '\n== %s\n' "$name"
  # In a shell of its own, whose children are those of the part.
  if ("$@"; status=$?; times >"$used"; exit "$status"); then
    echo "$name" >>"$scratch/passed"
    printf -- '-- %s: passed in %s s, %s s of a processor\n' "$name" $((SECONDS - begun)) "$(processor_seconds "$used")"
  else
    echo "$name" >>"$scratch/failed"
    printf -- '-- %s: FAILED after %s s, %s s of a processor\n' "$name" $((SECONDS - begun)) "$(processor_seconds "$used")"
  fi
}

# Without that of processes which outlive the one that started them, and of containers.
processor_seconds() { # FILE: what "times" says
  awk '{ for (i = 1; i <= 2; i++) { split($i, time, /[ms]/); sum += time[1] * 60 + time[2] } } END { printf "%d", sum }' "$1"
}

# A part that hangs must not keep the others' results: where it takes longer, it says which of its processes are left, and ends with them.
limited() { # SECONDS COMMAND...
  local limit=$1 deadline=$((SECONDS + $1)) job status=0
  shift
  set -m
  "$@" </dev/null &
  job=$!
  set +m
  echo "$job" >"$scratch/$job.group"
  while kill -0 "$job" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '\nNot at its end after %s s: %s\n' "$limit" "$*"
      ps -A -o pgid=,pid=,etime=,args= | awk -v group="$job" '$1 == group'
      end_group "$job"
      break
    fi
    sleep 1
  done
  wait "$job" || status=$?
  rm -f "$scratch/$job.group"
  return "$status"
}

# Runs parts beside the ones that follow. They print nothing before "finish", so that no output is in the middle of another.
beside() { # FUNCTION: that calls "part" for each
  set -m # a process group of its own, for clean_up
  "$1" </dev/null >"$scratch/$1.output" 2>&1 &
  echo $! >"$scratch/$1.group"
  set +m
}

finish() { # FUNCTION
  local status=0
  wait "$(cat "$scratch/$1.group")" || status=$?
  rm "$scratch/$1.group"
  cat "$scratch/$1.output"
  # Its parts note for themselves how they end; this is what came between them.
  if [ "$status" -ne 0 ]; then echo "$1 (ended with $status)" >>"$scratch/failed"; fi
}

left_out() { # NAME WHY
  printf '\n== %s: DID NOT RUN: %s\n' "$1" "$2"
  echo "$1" >>"$scratch/missing"
}

# What is no npm package; only root installs without a question.
install_tool() { # COMMAND PACKAGE
  if command -v "$1" >/dev/null; then return; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null
  fi
  command -v "$1" >/dev/null
}

shell_scripts() {
  git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run
}

check_shell() {
  # shellcheck disable=SC2046 # no file name here has a space
  nice -n 19 shellcheck -x $(shell_scripts)
}

check_lua() {
  luacheck --no-color --std lua51 --read-globals redis KEYS ARGV --max-line-length 140 -- acceptor/*.lua
}

# Runs tests, and keeps what failed for the last lines of this run: the place itself may be a thousand lines up.
run_tests() { # ARGUMENT...
  FAILED_TESTS=$failed_tests npx vitest run --project "${PROJECT:-unit*}" --reporter=default --reporter=./tests/failed-tests.ts "$@"
}

end_to_end() { # docker|local
  CLUSTER=$1 PROJECT=end-to-end run_tests --bail 1
}

# One seed, so that each run has quiet seconds that prove something: what it breaks is the same, what that hits is not.
chaos() { # [--docker]
  node dist/verification/chaos/main.js "$@" --minutes 0.7 --seed 20261128
}

# The parts that wait for nothing. They are the last to get a processor: they take what the waiting of the tests leaves. (Containers
# are not theirs to yield to: the kernel shares between groups of processes first.)
computations() {
  part 'types' nice -n 19 npm run --silent types
  part 'lint' nice -n 19 npm run --silent lint
  part 'format' nice -n 19 npm run --silent format:check
  if [ -n "$has_shellcheck" ]; then part 'shellcheck' check_shell; else left_out 'shellcheck' 'install it with your package manager'; fi
  if [ -n "$has_luacheck" ]; then part 'luacheck' check_lua; else left_out 'luacheck' 'install it with your package manager'; fi
  part 'simulation' nice -n 19 node dist/verification/simulation/main.js --seeds 500
  if [ -z "$quick" ]; then part 'exhaustive' nice -n 19 node dist/verification/exhaustive/main.js --quick; fi
}

# On as many processors as there are, while the computations are on one.
variants() {
  part 'broken variants' nice -n 19 node dist/verification/variants/main.js
}

# With all that it can do: it waits for Enter, and leaves its cluster, where the key that nobody wrote was copied to acceptor-2 by each rescan.
tour_locally() {
  ./tour.sh --local --step --keep < <(yes '') | tee "$scratch/tour.log" &&
    sh -c "$(grep -o 'COMPOSE_PROJECT_NAME=.*clear\.sh' "$scratch/tour.log")" &&
    [ "$(grep -c '^    acceptor-2 holds nothing of it' "$scratch/tour.log")" -eq 2 ] &&
    [ "$(grep -c '^    acceptor-2 holds "green", version 1' "$scratch/tour.log")" -eq 2 ]
}

# The parts that mostly wait. There is one tour at a time, and chaos is told from a machine that is late only where little runs beside it.
clusters() {
  if [ -n "$docker" ]; then beside clusters_in_docker; fi
  part 'tour, local processes' limited 600 tour_locally
  part 'README, local processes' limited 1200 end_to_end local
  if [ -n "$docker" ]; then
    # Beside what is left of the README there, which takes longest of all.
    part 'tour, Docker' limited 600 ./tour.sh --docker
    finish clusters_in_docker
  fi
  part 'chaos, local processes' limited 600 chaos
  if [ -n "$docker" ]; then
    part 'chaos, Docker' limited 600 chaos --docker
  else
    left_out 'README, Docker' 'no Docker engine answers'
    left_out 'tour, Docker' 'no Docker engine answers'
    left_out 'chaos, Docker' 'no Docker engine answers'
  fi
}

clusters_in_docker() {
  part 'README, Docker' limited 1800 end_to_end docker
}

echo '== What the tests need'
build_for_host
./local/install-redis.sh

# Before the first part starts, so that nothing is installed under its feet.
has_shellcheck='' has_luacheck='' has_chromium='' docker=''
if install_tool shellcheck shellcheck; then has_shellcheck=yes; fi
if install_tool luacheck lua-check; then has_luacheck=yes; fi
# Without windows it takes half the processor time, but not every distribution has it so.
if command -v chromium-headless-shell chromium >/dev/null || install_tool chromium-headless-shell chromium-headless-shell 2>/dev/null ||
  install_tool chromium chromium; then has_chromium=yes; fi
if engine_answers; then docker=yes; fi

beside computations
if [ -z "$quick" ]; then beside variants; fi
if [ -n "$has_chromium" ]; then
  part 'tests' limited 2400 run_tests
else
  part 'tests' limited 2400 run_tests --exclude 'tests/page/**'
  left_out 'page' 'install chromium with your package manager'
fi
# Not beside the tests: both start clusters that are to answer in time.
if [ -z "$quick" ]; then clusters; fi
finish computations
if [ -z "$quick" ]; then finish variants; fi

names_in() { # FILE
  paste -s -d ';' "$scratch/$1" | sed 's/;/; /g'
}

printf '\n'
if [ -s "$scratch/missing" ]; then echo "Did not run: $(names_in missing)"; fi
if [ -s "$scratch/failed" ]; then
  echo "FAILED: $(names_in failed)"
  cat "$failed_tests"
  exit 1
fi
if [ -s "$scratch/missing" ] && [ "${CI:-}" = true ]; then
  echo 'FAILED: with CI=true every part must run'
  exit 1
fi
echo "All $(grep -c '' "$scratch/passed") parts passed in $SECONDS s."
