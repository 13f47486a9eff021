#!/usr/bin/env bash
# Kills what a supervisor that died without a word has left running.
# It runs in a session of its own and reads "+ PID" and "- PID" from a pipe that only the supervisor holds:
# when the pipe ends, however the supervisor ended, every process group still listed is killed.
# SIGKILL loses nothing: acceptors and proposers have on disk whatever they acknowledged.
set -uo pipefail

if [ "${1:-}" = --help ]; then
  echo 'Started by the supervisor of the local cluster; not meant to be typed.'
  exit 0
fi

# The terminal that goes away, or a Ctrl-C, must not take the reaper along.
trap '' HUP INT TERM

listed=' '
while read -r sign pid; do
  case $sign in
    +) listed="$listed$pid " ;;
    -) listed="${listed/ $pid / }" ;;
  esac
done

for pid in $listed; do
  kill -KILL -- "-$pid" 2>/dev/null
done
exit 0
