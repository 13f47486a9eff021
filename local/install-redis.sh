#!/usr/bin/env bash
# Installs redis-server (or valkey-server) where neither is there.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: install-redis.sh [--print]

Installs redis-server with this system's package manager (apt-get, dnf, apk or brew), unless it or
valkey-server is already there. As root it installs straight away; otherwise it asks first, and without a
terminal to ask on it says what to type and exits 1.

  --print   only say what to type
EOF
}

main() {
  case ${1:-} in
    -h | --help) usage ;;
    --print) say_what_to_type ;;
    '') ensure_redis ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
}

has() {
  command -v "$1" >/dev/null 2>&1
}

has_redis() {
  has redis-server || has valkey-server
}

manager() {
  local name
  for name in apt-get dnf apk brew; do
    if has "$name"; then
      echo "$name"
      return
    fi
  done
}

is_root() {
  [ "$(id -u)" -eq 0 ]
}

# Homebrew refuses to run as root, the others want to.
needs_sudo() {
  [ "$(manager)" != brew ] && ! is_root
}

what_to_type() {
  local sudo=''
  if needs_sudo; then sudo='sudo '; fi
  case $(manager) in
    apt-get) echo "${sudo}apt-get update && ${sudo}apt-get install -y redis-server" ;;
    dnf) echo "${sudo}dnf install -y redis || ${sudo}dnf install -y valkey" ;;
    apk) echo "${sudo}apk add redis" ;;
    brew) echo 'brew install redis' ;;
  esac
}

say_what_to_type() {
  if [ -n "$(manager)" ]; then
    echo "Type: $(what_to_type)"
  else
    echo 'Install Redis 6.2 or later so that redis-server is on the PATH: https://redis.io/docs/latest/operate/oss_and_stack/install/'
  fi
}

# As whoever may: with sudo where that is needed.
privileged() {
  if needs_sudo; then sudo "$@"; else "$@"; fi
}

install_redis() {
  case $(manager) in
    apt-get) privileged apt-get update && privileged env DEBIAN_FRONTEND=noninteractive apt-get install -y redis-server ;;
    dnf) privileged dnf install -y redis || privileged dnf install -y valkey ;;
    apk) privileged apk add redis ;;
    brew) brew install redis ;;
  esac
}

may_install() {
  local answer=''
  if [ -z "$(manager)" ]; then return 1; fi
  if is_root && [ "$(manager)" = brew ]; then return 1; fi
  if is_root; then return 0; fi
  if needs_sudo && ! has sudo; then return 1; fi
  if [ ! -t 0 ] || [ ! -t 2 ]; then return 1; fi
  printf 'redis-server is missing. Install it with: %s\nNow? [y/N] ' "$(what_to_type)" >&2
  read -r answer || true
  case $answer in [yY] | [yY][eE][sS]) ;; *) return 1 ;; esac
}

ensure_redis() {
  if has_redis; then return; fi
  if ! may_install; then
    {
      echo 'redis-server (or valkey-server) is not installed.'
      say_what_to_type
    } >&2
    exit 1
  fi
  echo "Installing redis-server: $(what_to_type)" >&2
  # The package manager's talk is no part of a script's output.
  if ! install_redis >&2; then
    echo "The installation failed: see above. $(say_what_to_type)" >&2
    exit 1
  fi
  if ! has_redis; then
    echo 'Installed, but redis-server is not on the PATH.' >&2
    exit 1
  fi
}

main "$@"
