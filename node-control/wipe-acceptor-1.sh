#!/usr/bin/env bash
# Removes all data of acceptor-1, once no proposer lists it any more. --force: although one does, or cannot be asked.
set -euo pipefail

here=${BASH_SOURCE[0]}
while [ -L "$here" ]; do
  target=$(readlink -- "$here")
  case $target in /*) here=$target ;; *) here=$(dirname -- "$here")/$target ;; esac
done
here=$(CDPATH='' cd -P -- "$(dirname -- "$here")" && pwd)
exec "$here/run-control.sh" wipe-acceptor acceptor-1:6379 "$@"
