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
  cut      takes the node off all its networks: nobody reaches it, and it reaches nobody (in Docker only)
  join     the end of a cut: it is found by its name again, also where somebody put it back without one;
           a proposer is started again for that

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
# With the port that run-control.sh names a node by, or without.
action=$1 node=${2%%:*}
refuse_unknown action "$action" kill pause resume start cut join
refuse_unknown node "$node" acceptor-1 acceptor-2 acceptor-3 proposer-1 proposer-2 control

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

restarts() {
  docker inspect --format '{{.RestartCount}}' "$container"
}

# Docker starts again whatever ends by itself, also what will end each time, as a proposer does whose state is torn.
refuse_crashing() { # RESTARTS there were
  local since tenths=0
  case $node in acceptor-*) return 0 ;; esac
  # Of this start, not of one that follows it: that has not said anything yet when it is found.
  since=$(docker inspect --format '{{.State.StartedAt}}' "$container")
  until docker exec "$container" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080' >/dev/null 2>&1; do
    if [ "$(restarts)" -gt "$1" ]; then
      docker logs --since "$since" --tail 5 "$container" >&2
      fail "$node ends as soon as it is started, again and again: the end of its log, above, says why. Until that is mended (docs/operations.md): $here/fault.sh kill $node"
    fi
    tenths=$((tenths + 1))
    if [ "$tenths" -gt 100 ]; then return; fi
    sleep 0.1
  done
}

start_node() {
  local before
  before=$(restarts)
  case $1 in
    running)
      refuse_held
      refuse_crashing "$before"
      say 'runs already'
      ;;
    paused) fail "$node is paused. Resume it: $here/fault.sh resume $node" ;;
    *)
      docker start "$container" >/dev/null
      # The count begins again, but not of one that Docker is just about to start again.
      if [ "$1" != restarting ]; then before=0; fi
      refuse_held
      refuse_crashing "$before"
      say 'started'
      ;;
  esac
}

# What docker-compose.yml says of this node's networks: each on a line, with its further names. A container that was taken off does not tell.
networks_by_compose() {
  compose config | awk -v service="$node:" '
    /^[^ ]/ { if (line != "") print line; line = ""; part = $1 }
    /^  [^ ]/ { if (line != "") print line; line = ""; is_ours = part == "services:" && $1 == service; is_networks = 0 }
    is_ours && /^    [^ ]/ { if (line != "") print line; line = ""; is_networks = $1 == "networks:" }
    is_ours && is_networks && /^      [^ ]/ { if (line != "") print line; line = $1; sub(/:$/, "", line) }
    is_ours && is_networks && /^          - / { line = line " " $2 }
  '
}

# Each with the names that the node is found by there.
networks_of_container() {
  docker inspect --format '{{range $network, $end := .NetworkSettings.Networks}}{{println $network $end.Aliases}}{{end}}' "$container"
}

cut_node() {
  local network cut=''
  while read -r network _; do
    if [ -z "$network" ]; then continue; fi
    docker network disconnect --force "$network" "$container"
    cut=yes
  done < <(networks_of_container)
  if [ -z "$cut" ]; then say 'was cut off already'; else say 'cut off: nobody reaches it until "fault.sh join '"$node"'"'; fi
}

join_node() {
  local network names name id present options joined=''
  while read -r network names; do
    id=$(docker network ls --quiet --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.network=$network")
    if [ -z "$id" ]; then fail "The network $network of the project $project is gone. Make it: $root/build-run.sh --docker"; fi
    present=$(networks_of_container | sed -n "s/^${project}_$network \[\(.*\)\]\$/ \1 /p")
    case $present in
      *" $node "*) continue ;;
      '') ;;
      *) docker network disconnect --force "$id" "$container" ;; # it is there, and nobody finds it by its name
    esac
    options=(--alias "$node")
    for name in $names; do options+=(--alias "$name"); done
    docker network connect "${options[@]}" "$id" "$container"
    joined=yes
  done < <(networks_by_compose)
  case $joined$node in
    yesproposer-*)
      # Its admin port listens at the address that it had in the control node's network.
      docker restart "$container" >/dev/null
      say 'joined, and started again'
      ;;
    yes*) say 'joined' ;;
    *) say 'was not cut off' ;;
  esac
}

# The last node of all can be killed, too; then no cluster runs, but its containers are there to be started.
if [ "$action" = start ] && [ "${CLUSTER:-}" != local ] && ! docker_runs && ! local_runs && [ -n "$(nodes_of_docker --all --quiet)" ]; then
  cluster=docker
else
  find_cluster
fi
if [ "$cluster" = local ]; then
  case $action in
    cut | join) fail "A node can be cut off in Docker only: local processes share the host's network. What comes near it: $here/fault.sh pause $node" ;;
  esac
  build_for_host
  exec node "$root/dist/local/main.js" node "$action" "$node"
fi
container=$(nodes_of_docker --all --quiet --filter "label=com.docker.compose.service=$node")
if [ -z "$container" ]; then fail "$node has no container in the project $project. Make it: $root/build-run.sh --docker"; fi
"${action}_node" "$(standing)"
