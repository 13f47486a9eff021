#!/usr/bin/env bash
# Removes all data of acceptor-3, once no proposer lists it any more. --force: although one does, or cannot be asked.
set -euo pipefail

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
exec "$here/run-control.sh" wipe-acceptor acceptor-3:6379 "$@"
