# shellcheck shell=bash
# Sourced by the scripts of the project: which cluster runs, and how a program runs in it. bash 3.2 will do (macOS).
#
#   COMPOSE_PROJECT_NAME   the Docker cluster's name, default caspaxos-demo
#   CLUSTER_DIR            the local cluster's data, default .cluster in the project
#   CLUSTER=docker|local   which one is meant where both run

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo 'cluster.sh is sourced by the other scripts; see ../build-run.sh --help and ./run-control.sh --help' >&2
  exit 2
fi

root=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
project=${COMPOSE_PROJECT_NAME:-caspaxos-demo}
export COMPOSE_PROJECT_NAME=$project
case ${CLUSTER_DIR:=.cluster} in
  /*) data=$CLUSTER_DIR ;;
  *) data=$root/$CLUSTER_DIR ;; # from the project, so that it means the same in every folder
esac
export CLUSTER_DIR=$data
# Compose moves the cursor even where its output goes to a file.
if [ ! -t 1 ] || [ -n "${NO_COLOR:-}" ]; then export COMPOSE_ANSI=never; fi

fail() { # LINE...: on stderr, and the end of the script
  printf '%s\n' "$@" >&2
  exit 1
}

misuse() { # LINE: the arguments were wrong; the caller's usage() says what is right
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

case $project in
  '' | [!a-z0-9]* | *[!a-z0-9_-]*)
    fail "COMPOSE_PROJECT_NAME=$project: Compose takes lower-case letters, digits, - and _, a letter or digit first."
    ;;
esac
case ${CLUSTER:-} in
  '' | docker | local) ;;
  *) fail "CLUSTER=$CLUSTER is neither docker nor local." ;;
esac

# --- Docker -----------------------------------------------------------------------------------------------------------------------

# An engine that is just being started may accept the question and say nothing for minutes.
engine_answers() {
  local question tenths=0
  command -v docker >/dev/null || return 1
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 &
  question=$!
  while kill -0 "$question" 2>/dev/null; do
    if [ "$tenths" -ge 100 ]; then
      kill "$question" 2>/dev/null || true
      return 1
    fi
    sleep 0.1
    tenths=$((tenths + 1))
  done
  wait "$question"
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

nodes_of_docker() { # OPTION...: of docker ps; prints the containers of the five nodes, not those of commands
  docker ps --filter "label=com.docker.compose.project=$project" --filter 'label=com.docker.compose.oneoff=False' "$@" 2>/dev/null
}

docker_runs() {
  command -v docker >/dev/null && [ -n "$(nodes_of_docker --quiet)" ]
}

# --- local processes --------------------------------------------------------------------------------------------------------------

# Without its folder there is no local cluster, and then nobody needs Node to find that out.
local_runs() {
  [ -d "$data" ] && [ -f "$root/dist/local/main.js" ] && command -v node >/dev/null && node "$root/dist/local/main.js" running
}

sources_changed() {
  # The last file that the build writes; it is missing where a build did not get to its end.
  local built=$root/dist/acceptor/prepare.lua
  [ ! -f "$built" ] || [ -n "$(
    cd "$root" && find src proposer client node-control local acceptor package.json tsconfig.json tsconfig.build.json \
      \( -name '*.ts' -o -name '*.lua' -o -name '*.json' \) -newer "$built" -print
  )" ]
}

# What the host needs to run the programs itself. All talk goes to stderr, so that a command's output stays its own.
build_for_host() {
  local installed=$root/node_modules/.package-lock.json
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail 'Node.js and npm are missing. Install Node.js 20.19 or later: https://nodejs.org'
  fi
  if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    fail "Node.js $(node --version) is too old. Install 20.19 or later: https://nodejs.org"
  fi
  if [ ! -f "$installed" ] || [ "$root/package-lock.json" -nt "$installed" ]; then
    echo 'Installing npm packages…' >&2
    (cd "$root" && npm ci) >&2 || fail 'npm ci failed; see above.'
    touch "$installed"
  fi
  if sources_changed; then
    echo 'Compiling…' >&2
    (cd "$root" && npm run --silent build) >&2 || fail 'npm run build failed; see above.'
  fi
}

# --- either -----------------------------------------------------------------------------------------------------------------------

# Sets cluster to docker or local; ends the script where that is not clear.
find_cluster() {
  local is_docker='' is_local=''
  if [ "${CLUSTER:-}" != local ] && docker_runs; then is_docker=yes; fi
  if [ "${CLUSTER:-}" != docker ] && local_runs; then is_local=yes; fi
  case $is_docker$is_local in
    yesyes)
      fail "Two clusters run: in Docker (project $project) and as local processes ($data)." \
        'Say which one you mean: export CLUSTER=docker, or export CLUSTER=local'
      ;;
    yes) cluster=${is_docker:+docker}${is_local:+local} ;;
    *)
      fail "No ${CLUSTER:+$CLUSTER }cluster runs (Docker project $project, local data in $data)." \
        "Start one: $root/build-run.sh${CLUSTER:+ --$CLUSTER}"
      ;;
  esac
}

run_program() { # client|control ARGUMENT...: where the cluster runs; ends the script with the program's exit code
  local program=$1
  find_cluster
  if [ "$cluster" = docker ]; then run_in_docker "$@"; fi
  build_for_host
  shift
  export ADDRESS_MAP=$data/addresses.json
  case $program in
    client) exec node "$root/dist/client/main.js" "$@" ;;
    control) exec node "$root/dist/node-control/main.js" "$@" ;;
  esac
}

# Compose would drop the container on Ctrl-C and leave it running, so it runs in a process group of its own and the signals go to the
# program itself. No terminal and no stdin: the next lines of a pasted block of commands belong to the shell.
run_in_docker() {
  local code before
  choose_compose
  if ! docker image inspect "$project-client" >/dev/null 2>&1; then
    echo "Building the image $project-client…" >&2
    compose build client >&2
  fi
  container=$project-$1-$$-$RANDOM
  signals=0
  trap 'pass_on INT' INT
  trap 'pass_on TERM' TERM HUP
  set -m
  compose run --rm --no-deps -T --name "$container" "$@" </dev/null &
  job=$!
  set +m
  while :; do
    before=$signals code=0
    wait "$job" || code=$?
    if [ "$signals" -eq "$before" ]; then break; fi
  done
  # Where Compose was ended too early to remove it.
  docker rm --force "$container" >/dev/null 2>&1 || true
  exit "$code"
}

pass_on() { # SIGNAL: to the program in the container; the third one is the last
  signals=$((signals + 1))
  if [ "$signals" -ge 3 ]; then set -- KILL; fi
  docker kill --signal "$1" "$container" >/dev/null 2>&1 || kill -s "$1" -- "-$job" 2>/dev/null || true
}
