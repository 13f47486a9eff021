# shellcheck shell=bash
# Sourced by cluster.sh: the cluster of local processes, and what the host needs to run programs itself.
: "${root:?is set by cluster.sh}" "${data:?is set by cluster.sh}"

# Without its folder there is no local cluster, and then nobody needs Node to find that out.
local_runs() {
  [ -d "$data" ] && [ -f "$root/dist/local/main.js" ] && command -v node >/dev/null && node "$root/dist/local/main.js" running
}

sources_changed() {
  # Written after a build that got to its end.
  local built=$root/dist/.built
  [ ! -f "$built" ] || [ -n "$(
    cd "$root" && find src proposer client node-control local verification playground bench package.json tsconfig.json \( -name '*.ts' -o -name '*.json' \) \
      -newer "$built" -print
  )" ]
}

# One installs and compiles at a time: who is typed meanwhile, in another terminal, waits, and does not run what is half written. A file with the number of
# the one that builds; of one that was killed it is left.
begin_to_build() {
  local holder said='' missing=0 deadline=$((SECONDS + 300))
  building=$root/dist/.building
  mkdir -p "$root/dist" || fail "$root/dist cannot be made; see above."
  until (set -o noclobber && echo $$ >"$building") 2>/dev/null; do
    if ! holder=$(cat "$building" 2>/dev/null); then
      # The other one has just ended. Or else it cannot be made.
      missing=$((missing + 1))
      if [ "$missing" -ge 20 ]; then fail "Nothing can be written to $root/dist. Look at its rights, and at the room on its disk."; fi
      sleep 0.1
      continue
    fi
    missing=0
    if { [ -n "$holder" ] && ! ps -p "$holder" >/dev/null 2>&1; } || [ "$SECONDS" -ge "$deadline" ]; then rm -f "$building"; fi
    sleep 0.2
    if [ -z "$said" ]; then echo 'Waiting for what another terminal compiles…' >&2; fi
    said=yes
  done
}

fail_to_build() { # LINE
  rm -f "$building"
  fail "$1"
}

lacks_packages() {
  local installed=$root/node_modules/.package-lock.json
  [ ! -f "$installed" ] || [ "$root/package-lock.json" -nt "$installed" ] || [ ! -e "$root/node_modules/.bin/tsc" ]
}

# Before it is compiled, which takes a while. The supervisor looks again, and waits where a cluster that crashed is just giving its ports back.
# Not at the clients' port: those that run go on while the cluster is stopped, and keep it.
refuse_taken_ports() {
  local port variable node taken=''
  if [ -S "$data/supervisor.sock" ] || local_runs; then return; fi
  for variable in ACCEPTOR_1_PORT=16379 ACCEPTOR_2_PORT=16380 ACCEPTOR_3_PORT=16381 PROPOSER_1_PORT=8081 PROPOSER_2_PORT=8082 \
    PROPOSER_1_ADMIN_PORT=8091 PROPOSER_2_ADMIN_PORT=8092 CONTROL_PORT=8080; do
    port=${variable#*=} variable=${variable%=*}
    port=${!variable:-$port}
    # Only who listens takes a connection. What is no port, the supervisor says.
    if ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
    node=$(printf '%s' "${variable%_PORT}" | sed 's/_ADMIN//; s/_/-/' | tr '[:upper:]' '[:lower:]')
    printf 'port %s, for %s, is taken by another program: end that program, or give another port with %s=…\n' "$port" "$node" "$variable" >&2
    taken=yes
  done
  if [ -n "$taken" ]; then exit 1; fi
}

# What the host needs to run the programs itself. All talk goes to stderr, so that a command's output stays its own.
build_for_host() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail 'Node.js and npm are missing. Install Node.js 20.19 or later: https://nodejs.org'
  fi
  if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    fail "Node.js $(node --version) is too old. Install 20.19 or later: https://nodejs.org"
  fi
  if ! lacks_packages && ! sources_changed; then return; fi
  begin_to_build
  # The compiler is a package for development: with NODE_ENV=production in its environment, npm leaves such ones out.
  if lacks_packages; then
    echo 'Installing npm packages…' >&2
    (cd "$root" && npm ci --include=dev) >&2 || fail_to_build 'npm ci failed; see above.'
    touch "$root/node_modules/.package-lock.json"
  fi
  if sources_changed; then
    echo 'Compiling…' >&2
    (cd "$root" && npm run --silent build) >&2 || fail_to_build 'npm run build failed; see above.'
  fi
  rm -f "$building"
}
