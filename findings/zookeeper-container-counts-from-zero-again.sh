#!/usr/bin/env bash
# ZooKeeper 3.9.6: below a container the sequence numbers begin at 0 again: the later holder of a lock has the smaller number.
#
# What: a container is removed by the server when its last child is gone, and the counter of the sequential nodes below it is a part of it. Whoever comes next creates it anew, and the counter with it. Below
# a node of the usual kind it goes on. Recipes make containers of the folders of their locks, so that nothing is left behind (Curator does).
# Why it hurts: the number of one's own node is the fencing token that ZooKeeper is known for: a store that remembers 5 refuses 0, so that all later holders are shut out, or takes it in a comparison of names. The first
# time in which nobody has the lock for a minute is enough; under load, and in tests, the numbers rise.
# Who should care: who fences by the number of a sequential node, or makes ids of it. The czxid of the node rises for as long as the ensemble lives.
# Source: ZooKeeper's programmer's guide tells of both, containers and sequence nodes ("maintained by the parent node"), each by itself; ContainerManager.java. Needs java.
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

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

command -v java >/dev/null || { echo 'needs java' >&2; exit 2; }
fetch zookeeper sid libzookeeper-java=3.9.6-2 libslf4j-java libcommons-io-java libcommons-cli-java libsnappy-java libnetty-java libnetty-common-java libnetty-buffer-java \
  libdropwizard-metrics-java libjackson2-core-java libjackson2-databind-java libjackson2-annotations-java
jars=
for name in zookeeper zookeeper-jute slf4j-api slf4j-nop commons-io commons-cli metrics-core snappy-java netty-{handler,common,buffer,transport,codec,resolver} jackson-{core,databind,annotations}; do
  jars+=$work/zookeeper/usr/share/java/$name.jar:
done
port=$(free_port)
# Looks for empty containers each second, in place of each minute.
java -Xmx128m -Dzookeeper.admin.enableServer=false -Dzookeeper.clientPortAddress=127.0.0.1 -Dznode.container.checkIntervalMs=1000 -cp "$jars" \
  org.apache.zookeeper.server.ZooKeeperServerMain "$port" "$work/data" >"$work/log" 2>&1 &
pids+=("$!")

# ask: sends commands, one a line, to the server in one session, and prints what it answers.
ask() { timeout 60 java -Xmx64m -cp "$jars" org.apache.zookeeper.ZooKeeperMain -server "127.0.0.1:$port" 2>&1; }

for _ in $(seq 100); do
  if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.2
done

# hold FOLDER TIMES: that many holders, one after the other, in one session; prints the names that their nodes had.
hold() {
  local holder
  {
    for ((holder = 0; holder < $2; holder++)); do
      echo "create -s $1/holder- x"
      # The first ones are known; one that is not there is an error, which ends nothing.
      echo "delete $1/holder-$(printf '%010d' "$holder")"
    done
  } | { ask || true; } | sed -n "s#^Created $1/\(holder-[0-9]*\).*#\1#p"
}
ask <<<'create -c /container x' >>"$work/log"
ask <<<'create /plain x' >>"$work/log"
container=$(hold /container 3 | tail -1)
plain=$(hold /plain 3 | tail -1)
for _ in $(seq 30); do
  # It exits with an error where the node is gone.
  answer=$(ask <<<'stat /container' || true)
  if [[ $answer == *'does not exist'* ]]; then gone=yes; break; fi
  sleep 1
done
[[ -n $container && -n $plain && ${gone:-} == yes ]] || { tail -5 "$work/log" >&2; echo "not to be seen here: ${container:-no holder}, ${plain:-no holder}, container gone: ${gone:-no}" >&2; exit 2; }
ask <<<'create -c /container x' >>"$work/log"
container_next=$(hold /container 1)
plain_next=$(hold /plain 1)

echo "expected: the holder that comes after ${container##*-} has a larger number"
echo "seen:     below a container the next one, a while later, is ${container_next##*-}; below another node, after ${plain##*-}, it is ${plain_next##*-}"
[[ $container == holder-0000000002 && $plain == holder-0000000002 && $container_next == holder-0000000000 && $plain_next == holder-0000000003 ]] || { echo 'CHANGED: the numbers go on, or begin anew in both'; exit 1; }
