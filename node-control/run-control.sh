#!/usr/bin/env bash
# Runs a command of the control node against the cluster that runs, in Docker or as local processes.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=scripts/cluster.sh
. "$here/scripts/cluster.sh"

# Where a cluster runs, the program's own help says more.
usage() {
  cat <<'END'
usage: run-control.sh COMMAND …

  ls, dump [PROPOSER|all], status                                   look at the cluster
  add-accept|rm-accept|add-prepare|rm-prepare PROPOSER|all ACCEPTOR QUORUM
                                                                    change the acceptors of a proposer
  rescan ACCEPTOR,ACCEPTOR… REQUIRED                                bring every key to the acceptors of the present sets
  copy FROM PROPOSER|all                                            give a proposer the sets of another one
  resize ACCEPTOR,ACCEPTOR…                                         lead all proposers to these acceptors, step by step
  wipe PROPOSER|all, unconfigure PROPOSER|all                       take all acceptors from a proposer: it refuses every operation then
  wipe-acceptor ACCEPTOR                                            remove all data of an acceptor
  collect                                                           remove what deleted keys have left

A step that could lose a write is refused, with what to do first. --dry-run shows what would be done, --force does it all the same.

Once a cluster runs (../build-run.sh): run-control.sh COMMAND --help
Environment: CLUSTER=docker|local where both kinds run, COMPOSE_PROJECT_NAME, CLUSTER_DIR.
END
}

wants_help "$@"
if [ -z "${1:-}" ]; then misuse 'Which command?'; fi
refuse_unknown command "$1" help -h --help ls dump status add-accept rm-accept add-prepare rm-prepare rescan resize copy wipe unconfigure wipe-acceptor collect
run_program control "$@"
