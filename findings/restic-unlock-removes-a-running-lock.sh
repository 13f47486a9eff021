#!/usr/bin/env bash
# restic 0.19.1: `restic unlock`, which removes stale locks, removes that of a backup that is at work in another container with the same host name; a prune then destroys the snapshot, and the backup exits with 0.
#
# What: a lock holds host name and process id. One of the own host name is stale as soon as there is no process of that id here, however fresh it is. In another container (another PID namespace) there is none.
# The same goes for two machines of one name. prune, which is alone from then on, deletes what the backup has stored and not yet listed; the backup ends with "snapshot saved", and a remark about its lock.
# Why it hurts: `restic unlock` before each run is in many scripts, since it takes stale locks only. Containers with `hostname:` set, pods with `hostNetwork`, restic in a Flatpak, and cloned machines that are all
# called "debian" share a name. Nobody notices before `restic check`, or a restore.
# Who should care: who unlocks by a script. Give each container and machine a name of its own; leave `unlock` to people, or take locks of more than 30 minutes only (`restic list locks`, `cat lock ID`).
# Source: internal/restic/lock.go, Stale(); restic/restic issue 4922 (open). The manual: "unlock  Remove locks other processes created", "removes stale locks". Needs `unshare`.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

fetch() {
  local name=$1 release=$2 lists=$work/lists-$2 mirror
  shift 2
  mkdir -p "$work/$name" "$lists/partial" "$work/cache"
  : >"$work/status"
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" | awk '!/security/ && !seen++')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$lists.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any)
  "${apt[@]}" update || { echo "the mirror has no $release, or cannot be reached" >&2; exit 2; }
  if ! (cd "$work/$name" && "${apt[@]}" download "$@" >"$work/apt" 2>&1); then
    cat "$work/apt" >&2
    if grep -q 'not found' "$work/apt"; then echo "not available any more: $1 in $release" >&2; exit 3; fi
    exit 2
  fi
  echo "package: $1 of Debian $release"
  find "$work/$name" -maxdepth 1 -name '*.deb' -exec dpkg -x {} "$work/$name" \; -exec rm {} \;
}

command -v unshare >/dev/null || { echo 'needs unshare' >&2; exit 2; }
fetch restic sid restic=0.19.1-1
restic=$work/restic/usr/bin/restic
export RESTIC_PASSWORD=x RESTIC_REPOSITORY=$work/repository RESTIC_CACHE_DIR=$work/cache

# container COMMAND...: as in a container of its own, with process ids of its own; the host name is that of all.
container() { timeout 90 unshare --pid --fork --mount-proc "$@"; }
# another COMMAND...: as in a container with a host name of its own
another() { container unshare --uts bash -c "echo another >/proc/sys/kernel/hostname; exec \"\$@\"" - "$@"; }
told() { if "$@" >>"$work/log" 2>&1; then echo made; else echo refused; fi; }
locks() { find "$work/repository/locks" -type f | wc -l; }

unshare --pid --fork --mount-proc true 2>/dev/null || { echo 'namespaces are not allowed here' >&2; exit 2; }
mkdir "$work/first"
echo 'a file' >"$work/first/file"
{ "$restic" init && "$restic" backup "$work/first"; } >>"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }

# 40 MB at once, and the rest when the other one is done: as a database's dump that takes its time.
mkfifo "$work/dump"
(
  exec >"$work/dump"
  head -c 40000000 /dev/urandom
  until [[ -e $work/go-on ]]; do sleep 0.2; done
  echo end
) &
pids+=("$!")
# Its process id is one that a container with little in it has not.
# shellcheck disable=SC2016
container bash -c 'for _ in $(seq 300); do (:); done; "$1" backup --stdin --stdin-filename dump <"$2"; echo "exit code $?"' - "$restic" "$work/dump" >"$work/backup" 2>&1 &
pids+=("$!")
backup=$!
for _ in $(seq 150); do
  if (($(find "$work/repository/data" -type f | wc -l) >= 4)); then break; fi
  sleep 0.2
done
[[ $(locks) == 1 ]] || { cat "$work/backup" >&2; echo 'no backup is at work' >&2; exit 2; }

prune_before=$(told container "$restic" prune)
another "$restic" unlock >>"$work/log" 2>&1
locks_elsewhere=$(locks)
container "$restic" unlock >>"$work/log" 2>&1
locks_after=$(locks)
prune_after=$(told container "$restic" prune)
touch "$work/go-on"
wait "$backup" || true
saved=$(grep -o 'snapshot .* saved' "$work/backup" | sed 's/ [0-9a-f]* / /')
code=$(grep -o 'exit code .*' "$work/backup")
restored=$(told "$restic" restore latest --target "$work/restored")

"$restic" version
echo "expected: \`unlock\` leaves the lock of a backup that began seconds ago, so that prune is refused until it is done"
echo "seen:     before \`unlock\` prune is $prune_before; locks after \`unlock\` in a container of another host name: $locks_elsewhere, in one of the same name: $locks_after; then prune is $prune_after"
echo "          the backup says \"$saved\", $code; its restore is $restored: what it had stored before is gone"
[[ "$prune_before $locks_elsewhere $locks_after $prune_after $saved $code $restored" == 'refused 1 0 made snapshot saved exit code 0 refused' ]] || { echo 'CHANGED: the lock is left, or the backup fails'; tail -n 5 "$work/log" "$work/backup"; exit 1; }
