#!/usr/bin/env bash
# Builds and starts three acceptors, two proposers and the control node, in Docker or as local processes.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
# shellcheck source-path=SCRIPTDIR source=node-control/scripts/cluster.sh
. "$here/node-control/scripts/cluster.sh"

usage() {
  cat <<'END'
usage: build-run.sh [--docker | --local] [--detach | --stop | --help]

Builds and starts the cluster: three acceptors, two proposers and the control node, in Docker or, where no Docker engine answers, as
local processes.
Ctrl-C stops it; its data stays, and the next start has it again. ./clear.sh removes everything.
Where it runs in Docker already, a start says since when, renews what was changed, starts what was killed, and its Ctrl-C stops nothing.

  --docker   in Docker, or not at all
  --local    as local processes: needs Node.js 20.19 and redis-server, which is installed where it is missing
  --detach   return once everything answers, and leave the cluster running
  --stop     stop the cluster that runs; its data stays

Environment:
  PROPOSER_1_PORT, PROPOSER_2_PORT   where the proposers listen on 127.0.0.1, default 8081 and 8082
  COMPOSE_PROJECT_NAME               a name for a Docker cluster of its own, default caspaxos-demo
  CONTROL_PORT                       where the control node serves its page on 127.0.0.1, default 8080
  CLIENT_PORT                        where the clients of a local cluster offer their funnel to the page, default 8070
  ACCEPTOR_1_PORT … _3_PORT          where the acceptors of a local cluster listen, default 16379 to 16381
  PROPOSER_1_ADMIN_PORT … _2_…       and its proposers' admin ports, default 8091 and 8092
  CLUSTER_DIR                        the data of a local cluster, default .cluster in the project
  CLUSTER=docker|local               as --docker or --local
  LOG_LEVEL, LOG_FORMAT=json|pretty  of the proposers, default info; and pretty where a terminal shows it (in Docker, without --detach), else json
  ACCEPTOR_TIMEOUT_MS                how long an acceptor may take to answer, default 300: more for slow disks (docs/operations.md)
  COLLECT_EVERY                      how often the control node removes what deleted keys have left: 30m, 12h (default: never by itself)
  CONTROL_BUTTONS=on                 the page carries out the next safe step, and faults of local processes, for whoever has the admin token
END
}

mode=${CLUSTER:-} given='' detach='' stop=''
choose_mode() {
  if [ -n "$given" ] && [ "$given" != "$1" ]; then misuse 'Either --docker or --local.'; fi
  given=$1 mode=$1
}
for argument; do
  case $argument in
    --docker) choose_mode docker ;;
    --local) choose_mode local ;;
    --detach | -d) detach=yes ;;
    --stop) stop=yes ;;
    --help | -h) usage && exit ;;
    *) misuse "Unknown argument \"$argument\"." ;;
  esac
done

# How a terminal reaches this very cluster, where it is not the default one.
exports() {
  if [ "$mode" = docker ] && [ "$project" != caspaxos-demo ]; then echo "  export COMPOSE_PROJECT_NAME=$project"; fi
  if [ "$mode" = local ] && [ "$data" != "$root/.cluster" ]; then printf '  export CLUSTER_DIR=%q\n' "$data"; fi
}

what_next() { # ADDRESS ADDRESS ADDRESS: of the proposers and of the page
  printf '\n  proposer-1  http://%s\n  proposer-2  http://%s\n  the page    http://%s/  shows what the cluster is doing\n\n' "$1" "$2" "$3"
  local headline=''
  if [ -n "${is_configured:-}" ]; then
    headline=$(CLUSTER=$mode "$root/node-control/run-control.sh" status 2>/dev/null | grep -m 1 -E '^(Prepare |The |No proposer )') || true
  fi
  # The local cluster starts after this is printed: what it will have is on its disk.
  if [ -z "$headline" ] && grep -qs acceptor- "$data"/proposer-*/configuration.json; then headline='It has the acceptors that it had.'; fi
  case $headline in
    '' | 'No proposer has acceptors yet'*) echo 'A new cluster has no acceptors configured yet. Type in another terminal:' ;;
    *) printf 'It is configured already. %s\nType in another terminal:\n' "$headline" ;;
  esac
  exports
  printf '  cd %q\n' "$root/node-control"
  case $headline in
    '' | 'No proposer has acceptors yet'*)
      echo '  ./run-control.sh add-accept all acceptor-1:6379 1'
      echo '  ./run-control.sh add-prepare all acceptor-1:6379 1'
      ;;
    *) echo '  ./run-control.sh status' ;;
  esac
  echo '  ./run-client.sh'
  if [ -n "$detach" ]; then
    printf '\nStop it, the data stays: %q --stop\n' "$root/build-run.sh"
  elif [ -n "${since:-}" ]; then
    printf '\nCtrl-C leaves the cluster running. Stop it, the data stays: %q --stop\n' "$root/build-run.sh"
  else
    printf '\nCtrl-C stops the cluster, the data stays.\n'
  fi
  printf 'Remove everything: %q\n\n' "$root/clear.sh"
}

# Redis and Node run under other users than the one that cloned the project, maybe with a strict umask.
let_containers_read() {
  local file
  for file in "$root/acceptor/redis.conf" "$root/acceptor/start.sh"; do
    if [ -O "$file" ]; then chmod a+r "$file"; fi
  done
}

# Another checkout's nodes and this one's have the same volumes, and neither lets the other's in.
refuse_another_folder() {
  local folder
  folder=$(other_folder)
  if [ -z "$folder" ]; then return; fi
  fail "The Docker cluster $project belongs to another folder: $folder" \
    "Give this one a name and ports of its own: COMPOSE_PROJECT_NAME=$project-2 CONTROL_PORT=9080 PROPOSER_1_PORT=9081 PROPOSER_2_PORT=9082 $root/build-run.sh" \
    "Or remove that one with its data: COMPOSE_PROJECT_NAME=$project $folder/clear.sh"
}

# Compose makes a container again where its labels change, but not where a secret's file is another one. Without that, some nodes would go
# on with passwords that the others no longer take, and none would start that looks for its secrets in a folder that is no more.
name_secrets() {
  local seen
  SECRETS_ID=$(cd "$SECRETS" && { pwd && cat admin-token proposer-password control-password users.acl; } | sha256)
  export SECRETS_ID
  while read -r seen; do
    if [ "$seen" = "$SECRETS_ID" ]; then continue; fi
    echo "The nodes of project $project were made with other secrets, or in another folder: they are made again. The data stays."
    return
  done < <(nodes_of_docker --all --format '{{.Label "caspaxos-demo.secrets"}}')
}

sha256() { # of stdin
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-64
}

# Asks from inside, so that the host needs neither Node nor curl. Whoever takes a connection may still let nobody in: each node logs in where
# it has to, and sends a command.
# The control node says "configured", too, where a proposer has acceptors.
answers_to() { # SERVICE USER
  docker exec "$(container_of "$1")" node -e '
    const [user] = process.argv.slice(1);
    const secret = (name) => require("fs").readFileSync("/run/secrets/" + name, "utf8");
    const healthy = async (host, path, headers = {}) => {
      const response = await fetch("http://" + host + path, { headers, signal: AbortSignal.timeout(5000) }).catch(({ name, message, cause }) => {
        throw new Error(host + ": " + (name === "TimeoutError" ? "no answer" : cause?.message ?? message));
      });
      if (!response.ok) throw new Error(host + " answers " + response.status);
      return response.text();
    };
    const acceptor = (host) => new Promise((resolve, reject) => {
      const login = "AUTH " + user + " " + secret(user + "-password");
      const socket = require("net").connect({ host, port: 6379, timeout: 5000 }, () => socket.write(login + "\r\nGET identity\r\n"));
      const refuse = (why) => { socket.destroy(); reject(new Error(host + ": " + why)); };
      let reply = "";
      socket.on("data", (chunk) => {
        reply += chunk;
        const [refusal] = /^-.*/m.exec(reply) ?? [];
        if (refusal) refuse("it says to " + user + ": " + refusal.trim());
        if (/^\+OK\r\n\$/.test(reply)) { socket.destroy(); resolve(); }
      });
      socket.on("error", (error) => refuse(error.message)).on("timeout", () => refuse("no answer")).on("close", () => refuse("hung up"));
    });
    const all = [1, 2, 3].map((n) => acceptor("acceptor-" + n)).concat(healthy("127.0.0.1:8080", "/healthz"));
    if (user === "control") {
      const headers = { authorization: "Bearer " + secret("admin-token") };
      for (const n of [1, 2]) all.push(healthy("proposer-" + n + ":8090", "/configuration", headers));
    }
    Promise.allSettled(all).then((outcomes) => {
      const troubles = outcomes.filter(({ reason }) => reason);
      for (const { reason } of troubles) console.error(reason.message);
      if (troubles.length === 0 && outcomes.some(({ value }) => /acceptor-/.test(value))) console.log("configured");
      process.exit(troubles.length === 0 ? 0 : 1);
    });
  ' "$2" </dev/null 2>&1
}

everything_answers() {
  local job jobs='' code=0
  answers_to proposer-1 proposer & jobs="$jobs $!"
  answers_to proposer-2 proposer & jobs="$jobs $!"
  answers_to control control & jobs="$jobs $!"
  for job in $jobs; do wait "$job" || code=1; done
  return "$code"
}

container_of() { # SERVICE
  awk -v service="$1" '$1 == service { print $2 }' <<<"$nodes"
}

# Where it listens on this machine, as docker ps has it: 8090/tcp, 127.0.0.1:8081->8080/tcp
address_of() { # SERVICE
  sed -n "s|^$1 .* \([^ ]*\)->8080/tcp.*|\1|p" <<<"$nodes"
}

# Sets nodes, and is_configured where a proposer has acceptors.
wait_until_it_answers() {
  # As long as local processes have; a machine that is busy takes seconds for each of the questions.
  local deadline=$((SECONDS + 60)) said
  while :; do
    nodes=$(nodes_of_docker --format '{{.Label "com.docker.compose.service"}} {{.ID}} {{.Ports}}') || true
    if said=$(everything_answers | sort -u); then break; fi
    # Who refuses a password does not wait for anything.
    if [ "$SECONDS" -ge "$deadline" ] || [ "${said#*-WRONGPASS}" != "$said" ]; then
      compose ps --all >&2 || true
      compose logs --tail 5 >&2 || true
      if [ -n "$since" ]; then fail "$said" "Not every node answers; see above. The containers are left as they are. Stop them, the data stays: $root/build-run.sh --stop"; fi
      stop_docker
      fail "$said" 'Not every node answers; see above. The containers are stopped, the data stays.'
    fi
    sleep 0.3
  done
  if [ "$said" = configured ]; then is_configured=yes; fi
}

# "up" starts what was killed, and leaves alone what fault.sh has paused.
resume_all() {
  local container
  for container in $(nodes_of_docker --quiet --filter status=paused); do docker unpause "$container" >/dev/null; done
}

stop_docker() {
  # A second Ctrl-C would leave some of them running.
  trap '' INT TERM HUP PIPE
  # So would the end of what reads the output: Compose ends where it cannot write.
  if [ -t 2 ]; then compose stop; else compose stop 2>&1 | keep_reading >&2; fi
}

keep_reading() {
  local line
  while IFS= read -r line; do printf '%s\n' "$line" 2>/dev/null || true; done
}

end_foreground() { # EXIT CODE, where the cluster was not up yet, or nobody reads any more; else this is its ordinary end
  trap '' INT TERM HUP PIPE
  set +e
  # At once, with all that it started: what Compose says about its own end would come after the last word.
  if [ -n "${logs:-}" ]; then kill -KILL -- "-$logs" 2>/dev/null || true; fi
  # The reader of a pipe ends with Ctrl-C, too.
  echo 2>/dev/null || exec >&2
  if [ -n "$since" ]; then
    printf 'The cluster is left as it is. Stop it, the data stays: %q --stop\n' "$root/build-run.sh"
  else
    stop_docker
    echo 'Stopped; the data stays.'
  fi
  if [ -n "${logs:-}" ] && [ "$1" -ne 141 ]; then exit 0; fi
  exit "$1"
}

# Lines where somebody watches, else objects for programs. Proposers that run keep theirs: with another one Compose would make them again.
choose_log_format() {
  local variable proposer
  if [ -n "${LOG_FORMAT:-}" ]; then return; fi
  if [ -z "$since" ]; then
    if [ -z "$detach" ] && [ -t 1 ]; then export LOG_FORMAT=pretty; fi
    return
  fi
  proposer=$(nodes_of_docker --all --quiet --filter 'label=com.docker.compose.service=proposer-1')
  if [ -z "$proposer" ]; then return; fi
  while IFS= read -r variable; do
    case $variable in LOG_FORMAT=*) export "${variable?}" ;; esac
  done < <(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$proposer")
}

# Since when the first of its nodes runs; empty where none does.
runs_since() {
  local nodes
  nodes=$(nodes_of_docker --quiet)
  if [ -z "$nodes" ]; then return; fi
  # One that ends meanwhile is left out.
  # shellcheck disable=SC2086 # one word for each node
  { docker inspect --format '{{slice .State.StartedAt 0 10}} {{slice .State.StartedAt 11 19}} UTC' $nodes 2>/dev/null || true; } | sort | head -n 1
}

run_docker() {
  choose_compose
  if local_runs; then
    fail "A cluster of local processes runs already ($data)." "Stop it first, its data stays: $root/build-run.sh --local --stop"
  fi
  refuse_another_folder
  since=$(runs_since)
  if [ -n "$since" ]; then
    echo "The cluster runs already, in Docker (project $project), since $since. What was changed is renewed, and what was killed is started."
  fi
  let_containers_read
  "$root/node-control/scripts/make-secrets.sh" "$SECRETS"
  name_secrets
  choose_log_format
  compose build proposer-1 client || fail '' 'The images could not be built; see above.'
  # What the images of the last build were.
  docker image prune --force --filter "label=caspaxos-demo.project=$project" >/dev/null
  if [ -z "$detach" ]; then
    trap 'end_foreground 130' INT
    trap 'end_foreground 143' TERM
    trap 'end_foreground 129' HUP
    trap 'end_foreground 141' PIPE
  fi
  resume_all
  if ! compose up --detach --no-build; then
    if [ -z "$since" ]; then stop_docker; fi
    fail '' 'The cluster could not be started; see above.' \
      'Where a port is taken, choose others: CONTROL_PORT=9080 PROPOSER_1_PORT=9081 PROPOSER_2_PORT=9082 '"$root/build-run.sh"
  fi
  wait_until_it_answers
  printf '\nThree acceptors, two proposers and the control node answer, in Docker (project %s).\n' "$project"
  what_next "$(address_of proposer-1)" "$(address_of proposer-2)" "$(address_of control)"
  if [ -z "$detach" ]; then follow_logs; fi
}

# Some versions of Compose erase each line before they print it, also in a file.
without_erase() {
  local line erase=$'\033[2K'
  while IFS= read -r line; do printf '%s\n' "${line#"$erase"}"; done
}

# Until Ctrl-C, or until somebody else has stopped the cluster.
follow_logs() {
  while docker_runs; do
    # In a process group of its own, so that it ends as a whole, also where the signal comes from "kill".
    set -m
    if [ -t 1 ]; then compose logs --follow --tail 0 & else { compose logs --follow --tail 0 | without_erase; } & fi
    logs=$!
    set +m
    # Else the logs would be asked for again and again, for nobody.
    wait "$logs" || if [ $? -eq 141 ]; then end_foreground 141; fi
  done
  echo 'The cluster was stopped from elsewhere.'
}

# Whoever means local processes need not wait for an engine that hangs to be mended.
runs_in_docker() {
  if [ "$mode" = local ]; then (docker_runs); else docker_runs; fi
}

run_local() {
  if runs_in_docker; then
    fail "A cluster runs already in Docker (project $project)." "Stop it first, its data stays: $root/build-run.sh --docker --stop"
  fi
  refuse_taken_ports
  "$root/local/install-redis.sh"
  build_for_host
  # On a line of its own: a signal that came meanwhile is heard after it, and would be forgotten by "exec".
  local banner
  banner=$(what_next "127.0.0.1:${PROPOSER_1_PORT:-8081}" "127.0.0.1:${PROPOSER_2_PORT:-8082}" "127.0.0.1:${CONTROL_PORT:-8080}")
  exec node "$root/dist/local/main.js" start ${detach:+--detach} --banner "$banner"
}

# What this script waits for may take a signal in hand and end by itself, as Docker's client does: the shell would go on, and start the cluster.
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

if [ -n "$stop" ]; then
  CLUSTER=$mode
  if ! runs_in_docker && ! local_runs; then
    echo 'No cluster runs.'
    exit
  fi
  find_cluster
  if [ "$cluster" = local ]; then exec node "$root/dist/local/main.js" stop; fi
  stop_docker
  echo 'Stopped; the data stays.'
  exit
fi
if [ "$mode" != local ] && ! engine_answers; then
  if [ "$mode" = docker ]; then
    fail "$why_no_engine. $(how_to_get_an_engine), or run the cluster without: $root/build-run.sh --local"
  fi
  echo "$why_no_engine: the cluster runs as local processes instead."
  mode=local
fi
mode=${mode:-docker}
"run_$mode"
