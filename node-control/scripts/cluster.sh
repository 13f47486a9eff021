# shellcheck shell=bash
# Sourced by the scripts of the project: which cluster runs, and how a program runs in it. bash 3.2 will do (macOS).
#
#   COMPOSE_PROJECT_NAME   the Docker cluster's name, default caspaxos-demo
#   CLUSTER_DIR            the local cluster's data, default .cluster in the project
#   CLUSTER=docker|local   which one is meant where both run

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  echo 'cluster.sh is sourced by the other scripts; see build-run.sh --help and run-control.sh --help' >&2
  exit 2
fi

root=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
project=${COMPOSE_PROJECT_NAME:-caspaxos-demo}
export COMPOSE_PROJECT_NAME=$project
case ${CLUSTER_DIR:=.cluster} in
  /*) data=$CLUSTER_DIR ;;
  *) data=$root/$CLUSTER_DIR ;; # from the project, so that it means the same in every folder
esac
export CLUSTER_DIR=$data

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

# shellcheck source-path=SCRIPTDIR source=docker-cluster.sh
. "$root/node-control/scripts/docker-cluster.sh"
# shellcheck source-path=SCRIPTDIR source=local-cluster.sh
. "$root/node-control/scripts/local-cluster.sh"

refuse_unknown() { # KIND WORD KNOWN...: ends the script where the word is none of these, with the one that was probably meant
  local kind=$1 word=$2 known
  shift 2
  for known; do
    if [ "$word" = "$known" ]; then return; fi
  done
  misuse "Unknown $kind \"$word\".$(did_you_mean "$word" "$@")"
}

# By the rule of node-control/nodes/near-miss.ts; of a short word at least half of the letters are right.
did_you_mean() { # WORD KNOWN...
  printf '%s\n' "$@" | awk '
    function misses(from, to,   row, i, j, corner, least) {
      for (j = 0; j <= length(to); j++) row[j] = j
      for (i = 1; i <= length(from); i++) {
        corner = row[0]
        row[0] = i
        for (j = 1; j <= length(to); j++) {
          least = corner + (substr(from, i, 1) != substr(to, j, 1))
          if (row[j] + 1 < least) least = row[j] + 1
          if (row[j - 1] + 1 < least) least = row[j - 1] + 1
          corner = row[j]
          row[j] = least
        }
      }
      return row[length(to)]
    }
    function digits(text) { gsub(/[^0-9]/, "", text); return text }
    NR == 1 { word = tolower($0); next }
    digits(word) == digits($0) { wrong = misses(word, $0); if (wrong <= 2 && wrong * 2 <= length($0)) { near = $0; count++ } }
    END { if (count == 1) printf " Did you mean %s?", near }
  '
}

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
      if [ "${CLUSTER:-}" != local ] && ! engine_answers && is_engine_forbidden; then
        printf '%s: whether a cluster runs there is not known. %s.\n' "$why_no_engine" "$(how_to_get_an_engine)" >&2
      fi
      fail "No ${CLUSTER:+$CLUSTER }cluster runs (Docker project $project, local data in $data)." \
        "Start one: $root/build-run.sh${CLUSTER:+ --$CLUSTER}"
      ;;
  esac
}

# Where --help is asked for and no cluster runs, the script's own usage has to do: the program's is inside the image, or not built yet.
wants_help() { # ARGUMENT...
  local argument
  if [ "${1:-}" = help ]; then set -- --help; fi
  for argument; do
    case $argument in
      -h | --help)
        if (find_cluster) 2>/dev/null; then return 0; fi
        usage
        exit 0
        ;;
    esac
  done
}

run_program() { # client|control ARGUMENT...: where the cluster runs; ends the script with the program's exit code
  local program=$1
  find_cluster
  shift
  if [ "$cluster" = docker ]; then "run_${program}_in_docker" "$@"; fi
  build_for_host
  export ADDRESS_MAP=$data/addresses.json
  if [ "$program" = control ]; then
    export REDIS_USER=control REDIS_PASSWORD_FILE=$data/secrets/control-password ADMIN_TOKEN_FILE=$data/secrets/admin-token
  fi
  case $program in
    client) exec node "$root/dist/client/main.js" "$@" ;;
    control)
      # As in local/nodes.ts: a rescan of a million keys is to stay small with Node 24, too.
      STATE_DIR=$data/control HELD_NOTES=$data/held exec node --max-semi-space-size=8 "$root/dist/node-control/main.js" "$@"
      ;;
  esac
}
