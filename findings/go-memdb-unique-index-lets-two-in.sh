#!/usr/bin/env bash
# go-memdb 1.2.1 (HashiCorp): an index with `Unique: true` refuses nothing: two objects with one e-mail are both stored, the later one is found by it, and when the earlier one is deleted neither is.
#
# What: only the index "id" is what its name says. Another unique index is a tree with one place for each value: Insert() puts the newer object there without a look at whose it was, and Delete() of the older one empties
# the place. Insert() and Delete() return no error.
# Why it hurts: a name, a host or a port that may be taken once is taken twice, and who was there first takes the other one's entry away at the end: it is in the table, under its id, and not to be found by its address.
# Who should care: who keeps states in go-memdb, as Consul and Nomad do. First() by the index in the same write transaction, before Insert().
# Source: txn.go, Insert() and Delete(); schema.go, IndexSchema: nothing is said of "Unique". Needs chroot.
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
fetch go sid golang-github-hashicorp-go-memdb-dev=1.2.1-1 golang-1.27-go=1.27.3-1 golang-1.27-src=1.27.3-1 golang-github-hashicorp-go-immutable-radix-dev golang-github-hashicorp-golang-lru-dev libc6
mknod -m 666 "$root/dev/null" c 1 3

cat >"$root/tmp/run.go" <<'GO'
package main

import (
	"fmt"
	"os"
	"runtime"

	memdb "github.com/hashicorp/go-memdb"
)

type host struct{ ID, Address string }

var schema = &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{"host": {Name: "host", Indexes: map[string]*memdb.IndexSchema{
	"id":      {Name: "id", Unique: true, Indexer: &memdb.StringFieldIndex{Field: "ID"}},
	"address": {Name: "address", Unique: true, Indexer: &memdb.StringFieldIndex{Field: "Address"}},
}}}}

func main() {
	db, err := memdb.NewMemDB(schema)
	if err != nil {
		panic(err)
	}
	write := func(change func(*memdb.Txn) error) string {
		txn := db.Txn(true)
		defer txn.Commit()
		if err := change(txn); err != nil {
			return "refused"
		}
		return "accepted"
	}
	found := func(index, value string) string {
		object, err := db.Txn(false).First("host", index, value)
		if err != nil || object == nil {
			return "nothing"
		}
		return object.(*host).ID
	}
	ann, bob := &host{"ann", "10.0.0.1"}, &host{"bob", "10.0.0.1"}
	seen := write(func(txn *memdb.Txn) error { return txn.Insert("host", ann) })
	seen += ", " + write(func(txn *memdb.Txn) error { return txn.Insert("host", bob) })
	fmt.Printf("go-memdb 1.2.1, %s\n", runtime.Version())
	fmt.Println("expected: of two objects with one value in a unique index the second is refused; what is in the table is found by its index")
	both := fmt.Sprintf("%s and %s are there, by the address: %s", found("id", "ann"), found("id", "bob"), found("address", "10.0.0.1"))
	removed := write(func(txn *memdb.Txn) error { return txn.Delete("host", ann) })
	left := fmt.Sprintf("%s and %s are there, by the address: %s", found("id", "ann"), found("id", "bob"), found("address", "10.0.0.1"))
	fmt.Printf("seen:     two inserts: %s; %s\n", seen, both)
	fmt.Printf("          after ann is deleted (%s): %s\n", removed, left)
	if seen+both+removed+left != "accepted, acceptedann and bob are there, by the address: bobacceptednothing and bob are there, by the address: nothing" {
		fmt.Println("CHANGED: the second one is refused, or is found")
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
