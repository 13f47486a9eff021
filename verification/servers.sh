#!/usr/bin/env bash
# Runs the tests of acceptors on each server program, and prints the rows that docs/acceptors.md has.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")

usage() {
  cat <<'END'
usage: verification/servers.sh [PROGRAM…] [--help]

Runs the conformance, identity, administration, durability and start tests of acceptors (suites), and the tests of their fitness, on each server
program, and prints a table: how many tests passed, and the names of those that did not.

PROGRAM is the path of a redis-server, valkey-server, redict-server, keydb-server; without one, all of these that are in PATH.
Exit codes: 0 all passed on all of them, 1 not all, 2 wrong arguments or no server.
END
}

programs=()
for argument; do
  case $argument in
    --help | -h)
      usage
      exit 0
      ;;
    -*)
      printf 'Unknown option "%s".\n\n' "$argument" >&2
      usage >&2
      exit 2
      ;;
    *)
      if ! program=$(command -v -- "$argument"); then
        echo "There is no program $argument." >&2
        exit 2
      fi
      # A server may be a link to a program that tells by its name what it is to be: as Debian has redis-server and redis-check-rdb.
      programs+=("$(cd -- "$(dirname -- "$program")" && pwd)/${program##*/}")
      ;;
  esac
done
if [ ${#programs[@]} -eq 0 ]; then
  for name in redis-server valkey-server redict-server keydb-server; do
    if program=$(command -v "$name"); then programs+=("$program"); fi
  done
fi
if [ ${#programs[@]} -eq 0 ]; then
  echo 'No server program is in PATH: ./local/install-redis.sh installs one, or give the path of yours.' >&2
  exit 2
fi

cd "$here/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Passed and failed tests, and the names of the latter.
run_tests() { # PROGRAM ARGUMENT...
  local program=$1
  shift
  rm -f "$scratch/results.json"
  REDIS_SERVER=$program npx vitest run --project "unit*" --reporter=json --outputFile="$scratch/results.json" "$@" >"$scratch/output" 2>&1 || true
  if [ ! -f "$scratch/results.json" ]; then
    cat "$scratch/output" >&2
    echo '**the tests could not be run**'
    code=1
    return
  fi
  # shellcheck disable=SC2016 # it is JavaScript
  node -e '
    const { numPassedTests, numTotalTests, testResults } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const lost = testResults.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0);
    const failed = [...lost.map(({ name }) => name), ...tests.filter(({ status }) => status === "failed").map(({ fullName }) => fullName)];
    console.log(failed.length === 0 ? `${numPassedTests} pass` : `**${failed.length} of ${numTotalTests} fail**`);
    for (const name of failed) console.error(`  failed: ${name}`);
    process.exitCode = failed.length === 0 ? 0 : 1;
  ' "$scratch/results.json" || code=1
}

code=0
echo '| server | suites | fitness |'
echo '| --- | --- | --- |'
for program in "${programs[@]}"; do
  # "Redis server v=8.0.2 sha=…", "Valkey server v=8.1.1 …"
  name=$("$program" --version | sed -E 's/ server v=([0-9.]+).*/ \1/')
  echo "$name: the suites, then fitness; some minutes" >&2
  run_tests "$program" tests/src/redis tests/acceptor --exclude 'tests/src/redis/fitness.test.ts' >"$scratch/suites"
  run_tests "$program" tests/src/redis/fitness.test.ts >"$scratch/fitness"
  echo "| $name | $(cat "$scratch/suites") | $(cat "$scratch/fitness") |"
done
exit "$code"
