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
in Docker. A cluster that you run is left alone.

  --quick   without what comes after the tests and the simulated runs

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

passed=0 failed='' missing=''
failed_tests=$(mktemp) computed=$(mktemp) computing=''
clean_up() {
  if [ -n "$computing" ]; then kill -- -"$computing" 2>/dev/null || true; fi
  rm -f "$failed_tests" "$computed"
}
trap clean_up EXIT

# Runs one part, also where an earlier one failed: one run then shows all that is wrong.
part() { # NAME COMMAND...
  local name=$1 begun=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then
    passed=$((passed + 1))
    printf -- '-- %s: passed in %s s\n' "$name" $((SECONDS - begun))
  else
    failed="$failed$name; "
    printf -- '-- %s: FAILED after %s s\n' "$name" $((SECONDS - begun))
  fi
}

left_out() { # NAME WHY
  printf '\n== %s: DID NOT RUN: %s\n' "$1" "$2"
  missing="$missing$1; "
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
  shellcheck -x $(shell_scripts)
}

check_lua() {
  luacheck --no-color --std lua51 --read-globals redis KEYS ARGV --max-line-length 140 -- acceptor/*.lua
}

# Runs tests, and keeps what failed for the last lines of this run: the place itself may be a thousand lines up.
run_tests() { # ARGUMENT...
  FAILED_TESTS=$failed_tests npx vitest run --project "${PROJECT:-unit}" --reporter=default --reporter=./tests/failed-tests.ts "$@"
}

end_to_end() { # docker|local
  CLUSTER=$1 PROJECT=end-to-end run_tests --bail 1
}

simulate() { node dist/verification/simulation/main.js --seeds 500; }

# Started beside parts that mostly wait: these compute on one core, and wait for nothing.
start_computing() {
  set -m # a process group of its own, for clean_up
  {
    status=0
    simulate || status=1
    node dist/verification/variants/main.js || status=1
    node dist/verification/exhaustive/main.js --quick || status=1
    exit "$status"
  } >"$computed" 2>&1 &
  computing=$!
  set +m
}

finish_computing() {
  local status=0
  wait "$computing" || status=$?
  computing=''
  cat "$computed"
  return "$status"
}

echo '== What the tests need'
build_for_host
./local/install-redis.sh

part 'types' npm run --silent types
part 'lint' npm run --silent lint
part 'format' npm run --silent format:check
if install_tool shellcheck shellcheck; then part 'shellcheck' check_shell; else left_out 'shellcheck' 'install it with your package manager'; fi
if install_tool luacheck lua-check; then part 'luacheck' check_lua; else left_out 'luacheck' 'install it with your package manager'; fi
if install_tool chromium chromium; then
  part 'tests' run_tests
else
  part 'tests' run_tests --exclude 'tests/page/**'
  left_out 'page' 'install chromium with your package manager'
fi
if [ -n "$quick" ]; then
  part 'simulation' simulate
else
  start_computing
  part 'README, local processes' end_to_end local
  part 'tour, local processes' ./tour.sh --local
  part 'simulation, broken variants, exhaustive' finish_computing
  part 'chaos, local processes' npm run --silent chaos -- --minutes 0.7
  if engine_answers; then
    part 'README, Docker' end_to_end docker
    part 'tour, Docker' ./tour.sh --docker
    part 'chaos, Docker' npm run --silent chaos -- --docker --minutes 0.7
  else
    left_out 'README, Docker' 'no Docker engine answers'
    left_out 'tour, Docker' 'no Docker engine answers'
    left_out 'chaos, Docker' 'no Docker engine answers'
  fi
fi

printf '\n'
if [ -n "$missing" ]; then echo "Did not run: ${missing%; }"; fi
if [ -n "$failed" ]; then
  echo "FAILED: ${failed%; }"
  cat "$failed_tests"
  exit 1
fi
if [ -n "$missing" ] && [ "${CI:-}" = true ]; then
  echo 'FAILED: with CI=true every part must run'
  exit 1
fi
echo "All $passed parts passed in $SECONDS s."
