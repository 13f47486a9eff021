import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environment, mode, Terminal } from './cluster.js';

const PROJECT = environment['COMPOSE_PROJECT_NAME'] ?? '';
const STACK = `${PROJECT}-stack`;
const SECRETS = `.secrets/${STACK}`;
const NODES = ['acceptor-1', 'acceptor-2', 'acceptor-3', 'proposer-1', 'proposer-2', 'control'];
const PATIENCE_MS = 120_000;
const terminal = new Terminal();

async function type(line: string): Promise<string> {
  const { code, stdout, stderr } = await terminal.type(line);
  expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
  return stdout.trim();
}

const ofStack = `--filter label=com.docker.stack.namespace=${STACK}`;
const containerOf = (service: string): Promise<string> =>
  type(`docker ps --quiet --filter label=com.docker.swarm.service.name=${STACK}_${service}`);
const control = async (command: string): Promise<string> =>
  type(`docker exec ${await containerOf('control')} node dist/node-control/main.js ${command}`);

describe.runIf(mode === 'docker')('the Swarm stack, on one machine', () => {
  /** A swarm that was there before is left alone: no test runs in it. */
  let isOurs = false;

  beforeAll(async () => {
    if ((await type("docker info --format '{{.Swarm.LocalNodeState}}'")) !== 'inactive') return;
    isOurs = true;
    await type('docker compose build proposer-1 client');
    await type(`./node-control/scripts/make-secrets.sh ${SECRETS}`);
    await type('docker swarm init --advertise-addr 127.0.0.1');
    const labels = [`caspaxos-demo.swarm=${PROJECT}`, ...NODES.map((node) => `${node}=true`)]
      .map((label) => `--label-add ${label}`)
      .join(' ');
    await type(`docker node update ${labels} "$(docker node ls --quiet)"`);
    const images = ['proposer', 'client'].map((name) => `${name.toUpperCase()}_IMAGE="$COMPOSE_PROJECT_NAME-${name}"`).join(' ');
    await type(`SECRETS="$PWD/${SECRETS}" ${images} docker stack deploy --compose-file docs/beyond-one-machine/stack.yml ${STACK}`);
  }, PATIENCE_MS);

  afterAll(async () => {
    if (!isOurs) return;
    await type('./clear.sh');
    expect(await type(`docker volume ls --quiet ${ofStack}; ls .secrets 2>/dev/null || true`)).toBe('');
    expect(await type("docker info --format '{{.Swarm.LocalNodeState}}'")).toBe('inactive');
  }, PATIENCE_MS);

  test('is valid', async () => {
    await type('./node-control/scripts/make-secrets.sh .secrets/valid');
    const config = await type(
      'SECRETS="$PWD/.secrets/valid" docker stack config --compose-file docs/beyond-one-machine/stack.yml; rm -r .secrets/valid',
    );
    for (const node of NODES) expect(config).toContain(`node.labels.${node} == true`);
  });

  test('starts all nodes, takes the commands of the control node, and serves clients', async ({ skip }) => {
    if (!isOurs) skip('a swarm is here already and is left alone');
    await expect.poll(() => control('status').catch(() => ''), { timeout: PATIENCE_MS, interval: 1_000 }).not.toMatch(/unreachable|^$/);
    await control('add-accept all acceptor-1:6379 1');
    await control('add-prepare all acceptor-1:6379 1');
    await control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    const client = 'node dist/client/main.js --seconds 3';
    const funnel = await type(`docker run --rm --init --network ${STACK}_clients "$COMPOSE_PROJECT_NAME-client" ${client}`);
    expect(funnel).toMatch(/in all: [1-9]\d* acknowledged .* nothing lost/);
  });

  test("shows the funnel of the stack's client on the control node's page", async ({ skip }) => {
    if (!isOurs) skip('a swarm is here already and is left alone');
    await type(`docker service scale --detach ${STACK}_client=1`);
    // As docs/beyond-one-machine/README.md has it.
    const address = await type(
      `control=$(docker ps --quiet --no-trunc --filter label=com.docker.swarm.service.name=${STACK}_control)
      docker network inspect docker_gwbridge --format "http://{{(index .Containers \\"$control\\").IPv4Address}}" | sed 's|/[0-9]*$|:8080/|'`,
    );
    // The last of three looks at the nodes, a second apart.
    const look = async (): Promise<string> =>
      (await type(`curl --silent --max-time 3 ${address}events || true`)).split('\n\n').at(-1) ?? '';
    await expect.poll(look, { timeout: PATIENCE_MS }).toMatch(/"isClientRunning":true.*"funnel":\[\{[^}]*"writes":[1-9]/);
    await type(`docker service scale --detach ${STACK}_client=0`);
    await expect.poll(look, { timeout: PATIENCE_MS }).toMatch(/"isClientRunning":false.*"funnel":\[\]/);
  });
});
