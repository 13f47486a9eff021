#!/usr/bin/env bash
# Runs the clients against the cluster that runs, in Docker or as local processes. Ctrl-C ends them with the final check.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=scripts/cluster.sh
. "$here/scripts/cluster.sh"

# Where a cluster runs, the program's own help says more.
usage() {
  cat <<'END'
usage: run-client.sh [--seconds N] [--keys N] [--clients N] [--change add] [--no-retry] [--affinity] [--seed N] [--key-prefix TEXT] [--proposers LIST]

Increments random keys through random proposers and prints a funnel each second. Ctrl-C ends it with a check that no update was lost.
Once a cluster runs (../build-run.sh), --help explains each option.
Environment: CLUSTER=docker|local where both kinds run, COMPOSE_PROJECT_NAME, CLUSTER_DIR.
END
}

wants_help "$@"
run_program client "$@"
