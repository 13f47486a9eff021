#!/bin/sh
# Runs one acceptor: a Redis server whose append-only file, and so all that it answers, is on the disk and not only in memory.
#
# usage: start.sh [--stay] REDIS-SERVER ARGUMENT...
#
# The folder it runs in is the acceptor's data folder. Where Redis must not be started, or not again, the acceptor is held: this script says why and
# what to do, and exits 3, which its caller takes for "do not start it again"; with --stay, for a caller that starts whatever ends, it stays and serves nothing.
# HELD_NOTE, if set, names a file outside of that folder that holds the same words while the acceptor is held: the control node cannot see its log.
set -u
export LC_ALL=C

HELD_STATUS=3
files=appendonlydir
manifest=$files/appendonly.aof.manifest
log=log.pipe

stay=''
if [ "${1:-}" = --stay ]; then stay=yes && shift; fi
if [ $# -eq 0 ]; then
  echo 'usage: start.sh [--stay] REDIS-SERVER ARGUMENT...' >&2
  exit 2
fi

say_held() { # LINE...
  echo 'This acceptor is HELD: it serves nothing, and nothing starts it again by itself.'
  printf '%s\n' "$@"
}

hold() { # LINE...
  told='' sleeper=''
  # By a signal that cannot be lost: between its birth and its program a child of the shell has the shell's own traps.
  if [ -n "$stay" ]; then trap 'told=yes; if [ -n "$sleeper" ]; then kill -KILL "$sleeper" 2>/dev/null; fi' TERM INT; fi
  say_held "$@"
  # In a shell of its own, which ends where there is no such folder, or no room.
  if [ -n "${HELD_NOTE:-}" ]; then (say_held "$@" >"$HELD_NOTE") 2>/dev/null; fi
  if [ -z "$stay" ]; then exit "$HELD_STATUS"; fi
  while [ -z "$told" ]; do
    sleep 3600 &
    sleeper=$!
    # It was told before there was a number to end.
    if [ -n "$told" ]; then kill -KILL "$sleeper" 2>/dev/null; fi
    wait "$sleeper"
  done
  exit 0
}

# After a failed write or sync the kernel may take pages for written that are not on the disk: a Redis that is started again would answer with
# what a power cut takes away. The file "held" keeps it from that. It begins empty, since a full disk has room for a name; where not even that can be
# written, what stays is this process, or its exit status.
hold_for_its_disk() { # WHAT FAILED
  set -- "$1, so what its file shows may not be on the disk. Its disk counts as lost (docs/operations.md, \"An acceptor is held\"). Either" \
    '- empty its data folder and start it: it is a new acceptor then, and "status" names the commands that let it join; or' \
    '- once the file system was unmounted, checked and mounted again, or the machine restarted: remove the file "held" alone, and start it.'
  # In a shell of its own: where the file cannot be made, that shell ends.
  (: >held && say_held "$@" >held && sync held .) 2>/dev/null
  hold "$@"
}

# A rewrite that was killed leaves as much as a whole file.
remove_unfinished() {
  rm -f temp-*.aof temp-*.rdb "$files"/temp-*
}

# Redis takes such a folder for a new one, and loads the old files a start later. What a first start leaves that was cut short has nothing in it.
refuse_without_manifest() {
  if [ -e "$manifest" ]; then return; fi
  for file in "$files"/*; do
    if [ ! -s "$file" ] || [ "$file" = "$files/appendonly.aof.1.base.rdb" ]; then continue; fi
    hold "$file is here, but its manifest, $manifest, is not: Redis would start empty, and bring old values back at the start after that." \
      'Its disk counts as lost (docs/operations.md, "An acceptor does not start: its append-only file is damaged").' \
      "Move the folder $files out of the way and start it: it is a new acceptor then, and \"status\" names the commands that let it join." \
      'Do not put files of an older copy back.'
  done
}

ends_in_zeros() { # FILE BYTES
  [ "$(tail -c "$2" "$1" | tr -d '\000' | wc -c)" -eq 0 ]
}

# A file system that had made the file longer before it wrote what is in there leaves zeros at a power cut, and Redis refuses them. Every command ends
# with a line feed, so nothing that was answered is among the zero bytes at the end. Elsewhere they are damage, and stay.
cut_zeros() { # FILE
  size=$(($(wc -c <"$1")))
  if [ "$size" -eq 0 ] || ! ends_in_zeros "$1" 1; then return; fi
  zeros=1 more=2
  while [ "$more" -le "$size" ] && ends_in_zeros "$1" "$more"; do zeros=$more more=$((more * 2)); done
  if [ "$more" -gt "$size" ]; then more=$((size + 1)); fi
  while [ $((more - zeros)) -gt 1 ]; do
    middle=$(((zeros + more) / 2))
    if ends_in_zeros "$1" "$middle"; then zeros=$middle; else more=$middle; fi
  done
  # Without conv=notrunc dd ends the file where it would begin to write.
  dd if=/dev/null of="$1" bs=1 seek=$((size - zeros)) count=0 2>/dev/null || exit 1
  echo "$zeros zero bytes at the end of $1 were cut off: a power cut leaves them, and nothing in them was ever answered."
}

cut_zeros_of_last_increment() {
  if [ ! -e "$manifest" ]; then return; fi
  last=''
  while read -r _ name _ _ _ type _; do
    if [ "$type" = i ]; then last=$files/$name; fi
  done <"$manifest"
  if [ -f "$last" ]; then cut_zeros "$last"; fi
}

# What Redis loads it takes for durable.
sync_all() {
  mkdir -p "$files" || exit 1
  set -- "$files"/*
  if [ ! -e "$1" ]; then shift; fi
  sync "$@" "$files" . || hold_for_its_disk 'The files of this acceptor could not be synced'
}

# Passes Redis' log on, and finds in it why Redis ended: prints nothing else, and exits 0 for nothing remarkable.
DAMAGED=1 WRITE_FAILED=2 OF_ANOTHER_SERVER=3
watch() {
  trap '' TERM INT
  found=0 served=''
  while IFS= read -r line; do
    # Nobody waits on a pipe without a name.
    rm -f "$log"
    printf '%s\n' "$line"
    case $line in
      *'eady to accept connections'*) served=yes ;;
      *"error when the AOF fsync policy is 'always'"*) found=$WRITE_FAILED ;;
      *'reading the append only file'* | *'AOF MANIFEST FILE ERROR'* | *'Unable to obtain the AOF file'*'No such file'*)
        # What Redis says after it has said that it does not know the format.
        if [ -z "$served" ] && [ "$found" -ne "$OF_ANOTHER_SERVER" ]; then found=$DAMAGED; fi
        ;;
      *"Can't handle "*'RDB format version'*) if [ -z "$served" ]; then found=$OF_ANOTHER_SERVER; fi ;;
    esac
  done
  return "$found"
}

run() { # REDIS-SERVER ARGUMENT...
  rm -f "$log"
  mkfifo "$log" || exit 1
  watch <"$log" &
  watcher=$!
  "$@" >"$log" 2>&1 &
  server=$!
  # In a group a signal reaches Redis twice: twice SIGTERM is like once, while a second SIGINT would end it in the middle of its work.
  trap 'kill -TERM "$server" 2>/dev/null' TERM INT
  wait_for "$server"
  trap - TERM INT
  code=$status
  wait_for "$watcher"
  rm -f "$log"
}

# Sets status. A signal ends a wait before its process has ended.
wait_for() { # PROCESS
  wait "$1"
  status=$?
  while kill -0 "$1" 2>/dev/null; do
    wait "$1"
    status=$?
  done
}

if [ -n "${HELD_NOTE:-}" ]; then rm -f "$HELD_NOTE"; fi
if [ -e held ]; then
  hold 'A write or a sync of its append-only file failed before, and nobody has said since that its disk is sound. Its disk counts as lost' \
    '(docs/operations.md, "An acceptor is held"). Either empty its data folder, the file "held" as well, and start it; or, once the file system was' \
    'unmounted, checked and mounted again, or the machine restarted, remove the file "held" alone, and start it.'
fi
trap '' HUP
remove_unfinished
refuse_without_manifest
cut_zeros_of_last_increment
sync_all
run "$@"
# An end by a signal is not remarkable: whatever that left in the page cache is synced before the next start.
if [ "$code" -ne 0 ]; then
  case $status in
    "$WRITE_FAILED") hold_for_its_disk 'Redis could not write or sync its append-only file (its log says which)' ;;
    "$OF_ANOTHER_SERVER")
      hold 'Its files were written by a newer version or another kind of Redis, which this one cannot read (its log says "RDB format version"). They are whole, and nothing in them' \
        'is lost: leave them as they are, and start it with the server that wrote them (docs/operations.md, "An acceptor is held").'
      ;;
    "$DAMAGED")
      hold 'Its append-only file is damaged, or a part of it is missing (its log says where). NEVER repair it with "redis-check-aof --fix", whatever Redis says: that cuts off what it has' \
        'answered, and it would be believed. Its disk counts as lost: move appendonlydir out of the way and start it; it is a new acceptor then,' \
        'and "status" names the commands that let it join (docs/operations.md, "An acceptor does not start: its append-only file is damaged").'
      ;;
  esac
fi
exit "$code"
