#!/usr/bin/env bash
# dulwich 1.2.17: its server answers "ok" for a push that it did not make: of two pushes at once both are told that the branch is theirs, and one is lost.
#
# What: a push names the commit that it found on the branch and the one that it sets. The server compares and swaps, which says False where another push was first, and does not look at that answer: only
# an exception makes it report a failure. A push into a folder, by dulwich as well, looks at it and is refused, as git's server does.
# Why it hurts: the commit was acknowledged and is on no branch; its author has a clone that says it is pushed, and learns of it from the next fetch, if at all. The time between the two is that of sending the
# objects: seconds for a large push. Deploys, configurations and records that are written by pushes lose one of two.
# Who should care: who serves git from Python by dulwich, over HTTP or TCP. Give the server refs whose set_if_equals() and remove_if_equals() raise.
# Source: dulwich/server.py, ReceivePackHandler._apply_pack(); dulwich/client.py, LocalGitClient.send_pack(). Needs python3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch NAME RELEASE PACKAGE=VERSION...: unpacks packages of a Debian release into $work/NAME, from the mirror that this machine uses, beside its own packages.
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

command -v python3 >/dev/null || { echo 'needs python3' >&2; exit 2; }
fetch dulwich sid python3-dulwich=1.2.17-1+b1 python3-urllib3 python3-typing-extensions

cat >"$work/run.py" <<'PY'
import logging, os, sys, threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
import dulwich
from dulwich.client import HttpGitClient, LocalGitClient
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

logging.disable(logging.CRITICAL)
MAIN = b"refs/heads/main"
WHO = {"author": b"someone <->", "committer": b"someone <->"}


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def commit(repo, message, parent=None):
    if parent is not None:
        repo.refs[MAIN] = parent
    with open(os.path.join(repo.path, message.decode()), "wb") as file:
        file.write(message)
    worktree = repo.get_worktree()
    worktree.stage([message.decode()])
    return worktree.commit(message=message, ref=MAIN, **WHO)


def race(name, client_of):
    """Ann's push has seen the branch when bob's is made, and goes on: what both are told, and whose commit is on the branch."""
    server = Repo.init_bare(f"{sys.argv[1]}/{name}-server", mkdir=True)
    repos = [Repo.init(f"{sys.argv[1]}/{name}-{who}", mkdir=True) for who in ("ann", "bob")]
    ann, bob = repos
    client, path = client_of(server)

    def push(repo, new, meanwhile=lambda: None):
        def update(refs):
            meanwhile()
            return {MAIN: new}

        try:
            status = client().send_pack(path, update, repo.generate_pack_data).ref_status or {}
        except Exception as error:
            return f"refused: {type(error).__name__}"
        return f"refused: {status[MAIN]}" if status.get(MAIN) else "ok"

    first = commit(ann, b"first")
    push(ann, first)
    # The same first commit, of which both make another one.
    for entry in ann.object_store:
        bob.object_store.add_object(ann.object_store[entry])
    anns, bobs = commit(ann, b"anns"), commit(bob, b"bobs", parent=first)
    told = {}
    told["ann"] = push(ann, anns, meanwhile=lambda: told.update(bob=push(bob, bobs)))
    return told, {anns: "ann's", bobs: "bob's"}.get(server.refs[MAIN], "another")


def over_http(server):
    web = make_server("127.0.0.1", 0, make_wsgi_chain(DictBackend({"/": server})), server_class=Threads, handler_class=Quiet)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    return lambda: HttpGitClient(f"http://127.0.0.1:{web.server_port}/"), "/"


def in_a_folder(server):
    return LocalGitClient, server.path


print(f"dulwich {'.'.join(map(str, dulwich.__version__))}, Python {sys.version.split()[0]}")
print("expected: of two pushes that found the same commit on the branch one is refused, and the other one is on the branch")
seen = {name: race(name, client_of) for name, client_of in (("http", over_http), ("folder", in_a_folder))}
for name, (told, branch) in seen.items():
    print(f"seen:     {name}: bob is told {told['bob']}, then ann {told['ann']}; on the branch is {branch}")
http, folder = seen["http"], seen["folder"]
as_told = http == ({"bob": "ok", "ann": "ok"}, "bob's") and folder[0]["bob"] == "ok" and folder[0]["ann"] != "ok" and folder[1] == "bob's"
if not as_told:
    print("CHANGED: one of two pushes is refused")
sys.exit(0 if as_told else 1)
PY
PYTHONPATH=$work/dulwich/usr/lib/python3/dist-packages timeout 60 python3 "$work/run.py" "$work"
