# shellcheck shell=bash
# Sourced by cluster.sh: the cluster in Docker.
: "${root:?is set by cluster.sh}" "${project:?is set by cluster.sh}"
# See make-secrets.sh; docker-compose.yml mounts its files.
export SECRETS=$root/.secrets/$project

# Compose moves the cursor even where its output goes to a file.
if [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ]; then export COMPOSE_ANSI=never; fi

# How long the engine may take for one thing that it is asked, where nothing has to be built or started.
: "${DOCKER_TIMEOUT_S:=120}"

within() { # SECONDS COMMAND...: ends it where it takes longer, with 124
  # By the sleeps: bash's own clock is that on the wall, which somebody may set while the engine is asked.
  local looks_left=$(($1 * 20)) job
  shift
  "$@" &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    if [ "$looks_left" -le 0 ]; then
      disown "$job" 2>/dev/null || true # or bash reports its end
      kill "$job" 2>/dev/null || true
      return 124
    fi
    looks_left=$((looks_left - 1))
    sleep 0.05
  done
  wait "$job"
}

# Asks the engine, which may take a question and never answer it: a script that hangs without a word looks like one that works.
ask_docker() { # ARGUMENT...: to docker
  within "$DOCKER_TIMEOUT_S" docker "$@" || say_if_it_hangs $? "$@"
}

# Where it is no fault that there is no engine, or no swarm.
ask_docker_quietly() { # ARGUMENT...: to docker
  within "$DOCKER_TIMEOUT_S" docker "$@" 2>/dev/null || say_if_it_hangs $? "$@"
}

say_if_it_hangs() { # CODE ARGUMENT...: of within, and those that were given to docker
  local code=$1
  shift
  if [ "$code" -eq 124 ]; then
    printf '%s\n' "Docker has not answered for $DOCKER_TIMEOUT_S s: docker $*" \
      'Type it yourself; where that hangs, too, restart the engine. DOCKER_TIMEOUT_S sets how many seconds it may take.' >&2
  fi
  return "$code"
}

# Sets why_no_engine where it does not. One that is just being started may accept the question and say nothing for minutes.
engine_answers() {
  local code=0 said
  why_no_engine='No Docker engine answers'
  command -v docker >/dev/null || return 1
  said=$(mktemp)
  within 10 docker version --format '{{.Server.Version}}' >/dev/null 2>"$said" || code=$?
  if grep -qi 'permission denied' "$said"; then why_no_engine="A Docker engine runs, but $(id -un) may not use it"; fi
  rm -f "$said"
  return "$code"
}

is_engine_forbidden() {
  case $why_no_engine in *'may not use it') return 0 ;; *) return 1 ;; esac
}

# What to type after engine_answers has said no.
how_to_get_an_engine() {
  local user
  user=$(id -un)
  if ! is_engine_forbidden; then
    echo 'Start it ("docker version" says what is wrong)'
  elif id -nG "$user" | grep -qw docker; then
    # A group that was given to a user counts from the next login on.
    echo 'Type: newgrp docker'
  else
    echo "Type, and log in again: sudo usermod -aG docker $user"
  fi
}

compose_command=''
choose_compose() {
  local version
  if [ -n "$compose_command" ]; then return 0; fi # in a trap, "return" alone would hand back what the signal interrupted
  if docker compose version >/dev/null 2>&1; then
    compose_command='docker compose'
  elif ! version=$(docker-compose version --short 2>/dev/null); then
    fail 'Docker is here, but Docker Compose v2 is not. Install it: https://docs.docker.com/compose/install/' \
      "Or run the cluster without Docker: $root/build-run.sh --local"
  else
    case $version in
      1.* | v1.*)
        fail "docker-compose $version is too old. Install Docker Compose v2: https://docs.docker.com/compose/install/" \
          "Or run the cluster without Docker: $root/build-run.sh --local"
        ;;
    esac
    compose_command='docker-compose'
  fi
}

compose() { # ARGUMENT...: to Docker Compose, for this project
  choose_compose
  # Two words where it is the plugin.
  # shellcheck disable=SC2086
  $compose_command --project-directory "$root" --file "$root/docker-compose.yml" "$@"
}

nodes_of_docker() { # OPTION...: of docker ps; prints the containers of the nodes, not those of clients
  ask_docker_quietly ps --filter "label=com.docker.compose.project=$project" --filter 'label=com.docker.compose.oneoff=False' "$@"
}

# The other folder that the cluster was started from, if there is one. Where it is no more, this one may be what became of it.
other_folder() {
  local folder
  while read -r folder; do
    if [ "$folder" != "$root" ] && [ -f "$folder/docker-compose.yml" ]; then
      echo "$folder"
      return
    fi
  done < <(nodes_of_docker --all --format '{{.Label "com.docker.compose.project.working_dir"}}' | sort -u)
}

docker_runs() {
  local nodes code=0
  command -v docker >/dev/null || return 1
  nodes=$(nodes_of_docker --quiet) || code=$?
  if [ "$code" -eq 124 ]; then fail 'Whether a cluster runs there is not known. Where you mean local processes: export CLUSTER=local'; fi
  [ -n "$nodes" ]
}

# Docker would drop the program on Ctrl-C and leave it running, so it runs in a process group of its own and the signals go to the
# program itself. No terminal and no stdin: the next lines of a pasted block of commands belong to the shell.
in_docker() { # client|control COMMAND...: that starts it
  local code before
  program=$1 signals=0 is_cut_off=''
  shift
  trap 'pass_on INT' INT
  trap 'pass_on TERM' TERM HUP
  set -m
  "$@" </dev/null &
  job=$!
  set +m
  while :; do
    before=$signals code=0
    wait "$job" || code=$?
    if [ "$signals" -eq "$before" ]; then break; fi
  done
  # Where a signal came before the program was there: Compose then says 255, and "docker exec" may say 0.
  if [ -n "$is_cut_off" ]; then code=$((128 + $(kill -l "$signal"))); fi
  return "$code"
}

pass_on() { # SIGNAL: to the program in the container; the third one is the last
  signals=$((signals + 1)) signal=$1
  if [ "$signals" -ge 3 ]; then set -- KILL; fi
  if "signal_$program" "$1" >/dev/null 2>&1; then return 0; fi
  if kill -s "$1" -- "-$job" 2>/dev/null; then is_cut_off=yes; fi
}

# A container for each client.
run_client_in_docker() { # ARGUMENT...
  local code=0
  choose_compose
  if ! docker image inspect "$project-client" >/dev/null 2>&1; then
    echo "Building the image $project-client…" >&2
    compose build client >&2
  fi
  container=$project-client-$$-$RANDOM
  in_docker client compose run --rm --no-deps --use-aliases -T --name "$container" client "$@" || code=$?
  # Where Compose was ended too early to remove it.
  docker rm --force "$container" >/dev/null 2>&1 || true
  exit "$code"
}

signal_client() { # SIGNAL
  docker kill --signal "$1" "$container"
}

# Inside the control node. Docker passes no signal on to what it executes there; so the program carries a mark to find it by.
run_control_in_docker() { # ARGUMENT...
  local code=0 variable
  # Whoever means some of the nodes would change all of them.
  for variable in PROPOSERS ACCEPTORS; do
    if [ -z "${!variable:-}" ]; then continue; fi
    fail "$variable of this terminal does not reach the control node, which is a container. Set it there, under \"environment\" of \"control\" in" \
      "$root/docker-compose.yml, and type $root/build-run.sh --docker. To go on with what is set there: unset $variable"
  done
  container=$(nodes_of_docker --all --quiet --filter 'label=com.docker.compose.service=control')
  if [ -z "$container" ]; then fail "The control node has no container in the project $project. Make it: $root/build-run.sh --docker"; fi
  case $(docker inspect --format '{{.State.Status}}' "$container") in
    running) ;;
    paused) fail "The control node is paused. Resume it: $root/node-control/fault.sh resume control" ;;
    *) fail "The control node does not run. Start it: $root/node-control/fault.sh start control" ;;
  esac
  mark=COMMAND=$$-$RANDOM
  in_docker control docker exec --env "$mark" "$container" node dist/node-control/main.js "$@" || code=$?
  # Where "docker exec" was ended before the program was there to be found.
  if [ "$signals" -gt 0 ]; then signal_control KILL >/dev/null 2>&1 || true; fi
  exit "$code"
}

signal_control() { # SIGNAL
  # Expands inside the container.
  # shellcheck disable=SC2016
  docker exec "$container" sh -c '
    for process in /proc/[0-9]*; do
      if grep -qsz "^$2$" "$process/environ"; then kill -s "$1" "${process#/proc/}" && found=yes; fi
    done
    [ -n "$found" ]
  ' sh "$1" "$mark"
}
