#!/usr/bin/env bash
# Badger 4.8.0: two transactions that look over a prefix, find nothing, and insert, are both committed: no ErrConflict, though it has "serializable snapshot isolation (SSI) guarantees".
#
# What: an iterator marks the keys that it has met, and Get() marks its key, there or not. What an iterator did not meet, since it was not there yet, marks nothing, and so no conflict is seen (a phantom). The same look by
# Get() of one agreed key is refused.
# Why it hurts: a room is booked twice, a limit of one is passed, a name is given to two: each by a transaction that looked. PostgreSQL at SERIALIZABLE refuses one of the two.
# Who should care: who keeps uniqueness, limits or sums over a prefix in Badger. Get() and Set() one key for the whole group (a counter, a version) in each such transaction.
# Source: iterator.go, Item(): "addReadKey"; txn.go, hasConflict(); Badger's README, "Project Status". Needs chroot.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

command -v chroot >/dev/null || { echo 'needs chroot' >&2; exit 2; }
# The compiler of the release lives in a folder with the sources and its libraries.
root=$work/go
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch go sid golang-github-dgraph-io-badger-dev=4.8.0-2 golang-1.27-go=1.27.3-1 golang-1.27-src=1.27.3-1 golang-github-cespare-xxhash-v2-dev golang-github-dgraph-io-ristretto-dev golang-github-dustin-go-humanize-dev \
  golang-github-go-logr-logr-dev golang-github-go-logr-stdr-dev golang-github-google-flatbuffers-dev golang-github-klauspost-compress-dev golang-opentelemetry-otel-dev golang-golang-x-net-dev golang-golang-x-sys-dev \
  golang-google-protobuf-dev libc6
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9

cat >"$root/tmp/run.go" <<'GO'
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/dgraph-io/badger"
)

// bookings counts what is there below the room.
func bookings(txn *badger.Txn) int {
	iterator := txn.NewIterator(badger.IteratorOptions{Prefix: []byte("booking/room1/")})
	defer iterator.Close()
	found := 0
	for iterator.Rewind(); iterator.Valid(); iterator.Next() {
		iterator.Item()
		found++
	}
	return found
}

// byIterator and byKey are what ann and bob do, each in a transaction: look, and book if the room is free.
func byIterator(txn *badger.Txn, who string) {
	if bookings(txn) == 0 {
		txn.Set([]byte("booking/room1/"+who), nil)
	}
}

func byKey(txn *badger.Txn, who string) {
	if _, err := txn.Get([]byte("booking/room1")); err == badger.ErrKeyNotFound {
		txn.Set([]byte("booking/room1"), []byte(who))
	}
}

// both tells what becomes of two such transactions that overlap.
func both(book func(*badger.Txn, string)) string {
	db, err := badger.Open(badger.DefaultOptions("").WithInMemory(true).WithLogger(nil))
	if err != nil {
		panic(err)
	}
	ann, bob := db.NewTransaction(true), db.NewTransaction(true)
	book(ann, "ann")
	book(bob, "bob")
	told := fmt.Sprint(ann.Commit() == nil, " ", bob.Commit() == nil)
	return fmt.Sprintf("%s, %d bookings", told, bookings(db.NewTransaction(false)))
}

func main() {
	fmt.Printf("Badger 4.8.0, %s\n", runtime.Version())
	fmt.Println("expected: of two transactions that each book a room which they found free one is refused")
	iterated, got := both(byIterator), both(byKey)
	fmt.Printf("seen:     by an iterator over the room's bookings: committed %s\n", iterated)
	fmt.Printf("          by Get() of one key for the room: committed %s below it\n", got)
	if iterated != "true true, 2 bookings" || got != "true false, 0 bookings" {
		fmt.Println("CHANGED: the second one is refused")
		os.Exit(1)
	}
}
GO
code=0
env -i PATH=/usr/bin:/usr/sbin HOME=/tmp GOROOT=/usr/lib/go-1.27 GOPATH=/usr/share/gocode GOCACHE=/tmp/cache GO111MODULE=off GOTELEMETRY=off CGO_ENABLED=0 \
  timeout 900 chroot "$root" /usr/lib/go-1.27/bin/go build -p 2 -o /tmp/run /tmp/run.go >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
timeout 60 chroot "$root" /tmp/run || code=$?
if ((code > 1)); then exit 2; fi
((code == 0))
