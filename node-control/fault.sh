#!/usr/bin/env bash
# Breaks a node of the cluster that runs, and mends it.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=scripts/cluster.sh
. "$here/scripts/cluster.sh"

usage() {
  cat <<'END'
usage: fault.sh ACTION NODE

  kill     SIGKILL; the node stays dead until it is started
  pause    the node hangs: it takes connections and answers nothing
  resume   the end of a pause
  start    starts a node that was killed, with the data it had

NODE is acceptor-1, acceptor-2, acceptor-3, proposer-1, proposer-2 or control. Each action can be repeated.
Environment: CLUSTER=docker|local where both kinds run, COMPOSE_PROJECT_NAME, CLUSTER_DIR.
END
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
esac
if [ $# -ne 2 ]; then misuse 'An action and a node, please.'; fi
action=$1 node=$2
case $action in kill | pause | resume | start) ;; *) misuse "Unknown action \"$action\"." ;; esac
case $node in acceptor-[123] | proposer-[12] | control) ;; *) misuse "Unknown node \"$node\"." ;; esac

say() {
  echo "$node $1"
}

standing() {
  docker inspect --format '{{.State.Status}}' "$container"
}

# A killed container is dead a moment after the engine has said so.
wait_until() { # STANDING
  local tries=0
  until [ "$(standing)" = "$1" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ]; then fail "$node is still $(standing) after 10 s: see docker inspect $container"; fi
    sleep 0.1
  done
}

kill_node() {
  case $1 in
    running | restarting | paused)
      docker kill "$container" >/dev/null
      wait_until exited
      say 'killed: it stays dead until "fault.sh start '"$node"'"'
      ;;
    *) say 'was dead already' ;;
  esac
}

pause_node() {
  case $1 in
    paused) say 'was paused already' ;;
    running)
      docker pause "$container" >/dev/null
      say 'paused: it hangs until "fault.sh resume '"$node"'"'
      ;;
    *) fail "$node is dead and cannot be paused. Start it first: $here/fault.sh start $node" ;;
  esac
}

resume_node() {
  case $1 in
    paused)
      docker unpause "$container" >/dev/null
      say 'resumed'
      ;;
    running) say 'was not paused' ;;
    *) fail "$node is dead and cannot be resumed. Start it: $here/fault.sh start $node" ;;
  esac
}

# A container that runs may hold its acceptor, which then does nothing but say why: see acceptor/start.sh.
refuse_held() {
  local tenths=0
  case $node in acceptor-*) ;; *) return 0 ;; esac
  until docker exec "$container" redis-cli ping >/dev/null 2>&1; do
    if docker logs --since "$(docker inspect --format '{{.State.StartedAt}}' "$container")" "$container" 2>&1 | grep -q 'acceptor is HELD'; then
      docker logs --tail 5 "$container" >&2
      fail "$node is held: the end of its log, above, says why, and what to do"
    fi
    tenths=$((tenths + 1))
    if [ "$tenths" -gt 100 ]; then return; fi
    sleep 0.1
  done
}

start_node() {
  case $1 in
    running)
      refuse_held
      say 'runs already'
      ;;
    paused) fail "$node is paused. Resume it: $here/fault.sh resume $node" ;;
    *)
      docker start "$container" >/dev/null
      wait_until running
      refuse_held
      say 'started'
      ;;
  esac
}

# The last node of all can be killed, too; then no cluster runs, but its containers are there to be started.
if [ "$action" = start ] && [ "${CLUSTER:-}" != local ] && ! docker_runs && ! local_runs && [ -n "$(nodes_of_docker --all --quiet)" ]; then
  cluster=docker
else
  find_cluster
fi
if [ "$cluster" = local ]; then
  build_for_host
  exec node "$root/dist/local/main.js" node "$action" "$node"
fi
container=$(nodes_of_docker --all --quiet --filter "label=com.docker.compose.service=$node")
if [ -z "$container" ]; then fail "$node has no container in the project $project. Make it: $root/build-run.sh --docker"; fi
"${action}_node" "$(standing)"
