#!/usr/bin/env bash
# Removes everything that the demo made: in Docker and of the local processes.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=node-control/scripts/cluster.sh
. "$here/node-control/scripts/cluster.sh"

usage() {
  cat <<'END'
usage: clear.sh [--help]

Stops the cluster and removes all that the demo made, the data too: every container, volume, network and image of its Docker project
(no image that it did not build), and the processes and the data folder of a local cluster. Says what it removed.
Left alone: redis:8 and node:24-trixie-slim, Docker's build cache ("docker builder prune" empties it), node_modules/ and dist/.

Environment:
  COMPOSE_PROJECT_NAME   the Docker cluster to clear, default caspaxos-demo
  CLUSTER_DIR            the data of the local cluster to clear, default .cluster in the project
  CLUSTER=docker|local   clear only this one
  DOCKER_TIMEOUT_S       how long the engine may take for one answer, default 120
END
}

case $#${1:-} in
  0) ;;
  1-h | 1--help)
    usage
    exit 0
    ;;
  *) misuse "Unknown argument \"$1\"." ;;
esac

removed=0 failed='' listed=''

remove() { # KIND COMMAND…: with each line of $listed, the word to remove it by and the name to say
  local kind=$1 id name
  shift
  while read -r id name; do
    if [ -z "$id" ]; then continue; fi
    if ask_docker "$@" "$id" >/dev/null </dev/null; then
      echo "removed $kind $name"
      removed=$((removed + 1))
    else
      failed=yes
    fi
  done <<<"$listed"
}

list() { # ARGUMENT...: to docker; sets listed
  listed=$(ask_docker "$@") || {
    refuse_if_it_hangs $?
    failed=yes
  }
}

refuse_if_it_hangs() { # CODE of what Docker was asked
  if [ "$1" -eq 124 ]; then fail 'What Docker holds stays; see above.'; fi
}

# With what a make-secrets.sh that was killed left beside it.
clear_secrets() { # FOLDER
  local folder
  for folder in "$1" "$1".??????; do
    if [ ! -d "$folder" ]; then continue; fi
    rm -rf -- "$folder"
    echo "removed folder $folder"
    removed=$((removed + 1))
  done
  rmdir -- "$root/.secrets" 2>/dev/null || true
}

# By the labels that Compose gives to all it makes, so that nodes of an older version and one-off commands go, too. The images have a
# label of our own, also those that a newer build replaced; what a builder without BuildKit leaves of their first stages has another.
clear_docker() {
  local ours=label=com.docker.compose.project=$project
  list ps --all --filter "$ours" --format '{{.ID}} {{.Names}}'
  remove container rm --force --volumes
  list volume ls --filter "$ours" --format '{{.Name}} {{.Name}}'
  remove volume volume rm
  list network ls --filter "$ours" --format '{{.ID}} {{.Name}}'
  remove network network rm
  list image ls --filter "label=caspaxos-demo.project=$project" --format '{{.ID}} {{.Repository}}'
  remove image image rm --force
  list ps --all --filter label=caspaxos-demo.stage --filter status=exited --format '{{.ID}} {{.Names}}'
  remove container rm
  clear_secrets "$SECRETS"
  list image ls --filter label=caspaxos-demo.stage --filter dangling=true --format '{{.ID}} {{.ID}}'
  remove 'build stage' image rm --force
}

# A swarm that was there before has no such label.
clear_swarm() {
  local stack=$project-stack ours="--filter label=com.docker.stack.namespace=$project-stack" deadline=$((SECONDS + 60))
  # An engine that is in no swarm refuses the question.
  listed=$(ask_docker_quietly node ls --quiet --filter "node.label=caspaxos-demo.swarm=$project") || refuse_if_it_hangs $?
  if [ -z "$listed" ]; then return 0; fi
  docker stack rm "$stack" >/dev/null 2>&1 || true
  # shellcheck disable=SC2086 # an option and its value
  while [ -n "$(docker ps --all --quiet $ours)$(docker network ls --quiet $ours)" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "The stack $stack does not go: does a container still use one of its networks? End it (docker ps), and clear again." >&2
      failed=yes
      return 0
    fi
    sleep 0.5
  done
  docker swarm leave --force >/dev/null
  echo 'removed the stack, and left the swarm that was made for it'
  removed=$((removed + 1))
  # shellcheck disable=SC2086
  list volume ls $ours --format '{{.Name}} {{.Name}}'
  remove volume volume rm
  clear_secrets "$root/.secrets/$stack"
}

clear_local() {
  local entry
  if [ ! -d "$data" ]; then return 0; fi
  # Data must not be taken from under a supervisor, and only the program can tell whether there is one.
  if [ ! -f "$root/dist/local/main.js" ]; then build_for_host; fi
  if local_runs; then
    node "$root/dist/local/main.js" stop >/dev/null
    echo 'stopped the local processes'
  fi
  for entry in "$data"/acceptor-[123] "$data"/proposer-[12] "$data"/control "$data"/held "$data"/secrets "$data"/secrets.?????? "$data"/logs "$data"/addresses.json* "$data"/supervisor.sock*; do
    rm -rf -- "$entry"
  done
  if rmdir -- "$data" 2>/dev/null; then
    echo "removed folder $data"
    removed=$((removed + 1))
  else
    echo "left $data: it holds files that are not the demo's" >&2
    failed=yes
  fi
}

# What somebody started from another checkout, with its data, is not this one's to remove.
refuse_another_folder() {
  local folder
  folder=$(other_folder)
  if [ -z "$folder" ]; then return; fi
  fail "The Docker cluster $project belongs to another folder, and stays: $folder" \
    "Remove it there, with its data: COMPOSE_PROJECT_NAME=$project $folder/clear.sh"
}

if [ "${CLUSTER:-}" != docker ]; then clear_local; fi
if [ "${CLUSTER:-}" != local ]; then
  if engine_answers; then
    refuse_another_folder
    clear_swarm
    clear_docker
  elif command -v docker >/dev/null; then
    echo "$why_no_engine: what it may hold stays. $(how_to_get_an_engine)." >&2
  fi
fi
if [ -n "$failed" ]; then fail 'Not everything could be removed; see above.'; fi
if [ "$removed" -eq 0 ]; then echo "Nothing to remove: no trace of Docker project $project, no local data in $data."; fi
