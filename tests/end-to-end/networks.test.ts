import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { environment, mode, root, startUnlessItRuns, Terminal } from './cluster.js';

const project = environment['COMPOSE_PROJECT_NAME'] ?? '';
const terminal = new Terminal();
const type = (line: string): Promise<string> => terminal.done(line);

/** Says of each place, "connects" or how it failed: a line for each, for a program of the image that is run in some place. */
const CONNECT = `
  const connect = (place) => new Promise((resolve) => {
    const [host, port] = place.split(" ");
    const socket = require("net").connect({ host, port: Number(port), timeout: 3000 });
    const end = (word) => { socket.destroy(); resolve(word); };
    socket.on("connect", () => end("connects")).on("timeout", () => end("nothing answers")).on("error", ({ code }) => end(code));
  });
  Promise.all(process.argv.slice(1).map(connect)).then((words) => { console.log(words.join("\\n")); process.exit(); });
`.replaceAll('\n', ' ');

describe.runIf(mode === 'docker')('the networks', () => {
  beforeAll(startUnlessItRuns);

  interface Place {
    readonly host: string;
    readonly port: number;
  }
  /** One container for all: to make one and its network takes seconds. */
  const inClient = async (places: readonly Place[]): Promise<string[]> => {
    const words = places.map(({ host, port }) => `'${host} ${port}'`).join(' ');
    return (await type(`docker run --rm --network ${project}_clients --entrypoint node ${project}-client -e '${CONNECT}' ${words}`))
      .trimEnd()
      .split('\n');
  };
  const inProposer = (host: string, port: number): Promise<string> =>
    type(`docker exec ${project}-proposer-1-1 node -e '${CONNECT}' '${host} ${port}'`).then((text) => text.trim());
  const addressesOf = async (service: string): Promise<string[]> => {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    return (await type(`docker inspect --format '${format}' ${project}-${service}-1`)).trim().split(' ');
  };

  // Over control-clients the control node reads the clients' funnel; what a client reaches there is the page, which everybody may read.
  test('are those that the client itself is in, beside the one that its funnel is read over', async () => {
    expect(
      await type(`docker compose -p ${project} --profile commands config --format json | node -e '
      const { services: { client } } = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(Object.keys(client.networks).join())'`),
    ).toBe('clients,control-clients\n');
  });

  test('let a client reach the proposers, but no acceptor, no admin port and not the control node, by no name and no address', async () => {
    const ports: Record<string, number> = {
      'acceptor-1': 6379,
      'acceptor-2': 6379,
      'acceptor-3': 6379,
      'proposer-1': 8090,
      'proposer-2': 8090,
      control: 8080,
    };
    const closed = await Promise.all(
      Object.entries(ports).map(async ([node, port]) =>
        [node, `${node}.control`, ...(await addressesOf(node))].map((host) => ({ host, port })),
      ),
    );
    const open = ['proposer-1', 'proposer-2'].map((host) => ({ host, port: 8080 }));
    const places = [...open, ...closed.flat()];
    const heard = await inClient(places);
    expect(heard).toHaveLength(places.length);
    expect(places.length).toBeGreaterThan(22);
    expect(places.filter((_, index) => heard[index] === 'connects')).toEqual(open);
  }, 120_000);

  const fault = (action: string, node: string): Promise<string> => type(`./node-control/fault.sh ${action} ${node}`);

  test('lose a node that is cut off, and it is found by its name again when it joins', async () => {
    expect(await inProposer('acceptor-3', 6379)).toBe('connects');
    expect(await fault('cut', 'acceptor-3')).toBe('acceptor-3 cut off: nobody reaches it until "fault.sh join acceptor-3"\n');
    expect(await fault('cut', 'acceptor-3')).toBe('acceptor-3 was cut off already\n');
    expect(await inProposer('acceptor-3', 6379)).not.toBe('connects');
    expect(await fault('join', 'acceptor-3')).toBe('acceptor-3 joined\n');
    expect(await inProposer('acceptor-3', 6379)).toBe('connects');
    expect(await fault('join', 'acceptor-3')).toBe('acceptor-3 was not cut off\n');
  });

  test('find a node by its name again that somebody put back without it', async () => {
    const network = `${project}_acceptors`;
    await type(`docker network disconnect ${network} ${project}-acceptor-3-1 && docker network connect ${network} ${project}-acceptor-3-1`);
    expect(await inProposer('acceptor-3', 6379)).not.toBe('connects');
    expect(await fault('join', 'acceptor-3')).toBe('acceptor-3 joined\n');
    expect(await inProposer('acceptor-3', 6379)).toBe('connects');
  });

  test('take a proposer back with its ports', async () => {
    await fault('cut', 'proposer-2');
    expect(await fault('join', 'proposer-2')).toBe('proposer-2 joined, and started again\n');
    await expect.poll(async () => (await terminal.type('./node-control/run-control.sh status')).stdout).toMatch(/^proposer-2 +reachable/m);
    const health = (): Promise<number> =>
      fetch(`http://127.0.0.1:${environment['PROPOSER_2_PORT']}/healthz`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(health).toBe(200);
  });

  test('are no way for an acceptor that is held to say so: status knows all the same', async () => {
    const acceptor = `${project}-acceptor-3-1`;
    await type(`docker exec ${acceptor} touch /data/held && docker restart --time 0 ${acceptor}`);
    const status = await type('./node-control/run-control.sh status');
    expect(status).toMatch(/^acceptor-3:6379 +held/m);
    expect(status).toMatch(/^acceptor-3:6379: This acceptor is HELD: [^]*remove the file "held" alone, and start it\.$/m);
    await type(`docker exec ${acceptor} rm /data/held && docker restart --time 0 ${acceptor}`);
    await expect.poll(() => inProposer('acceptor-3', 6379)).toBe('connects');
  });

  test('show an admin port to the control node alone', async () => {
    const listening = await Promise.all((await addressesOf('proposer-1')).map((address) => inProposer(address, 8090)));
    expect(listening.filter((word) => word === 'connects')).toHaveLength(1);
    expect(await inProposer('proposer-2.control', 8090)).toBe('connects');
    expect(await inProposer('127.0.0.1', 8090)).toBe('ECONNREFUSED');
  });

  test('and nothing else tell a secret: no environment, no image', async () => {
    const secrets = ['admin-token', 'control-password', 'proposer-password'].map((name) =>
      readFileSync(`${root}.secrets/${project}/${name}`, 'utf8'),
    );
    const ids = (await type(`docker ps -q --filter label=com.docker.compose.project=${project}`)).trim().split('\n');
    const told = `${await type(`docker inspect ${ids.join(' ')}`)}${await type(`docker history --no-trunc ${project}-proposer`)}`;
    for (const secret of secrets) expect(told).not.toContain(secret);
    expect(
      await type(
        `docker run --rm --network none --entrypoint sh ${project}-client -c 'ls -R /app /run 2>/dev/null | grep -c password || true'`,
      ),
    ).toBe('0\n');
    expect(await type('git status --porcelain .secrets')).toBe('');
  });

  test('stand in no way of the engine, which asks every container how it is', async () => {
    const line = `docker ps --filter label=com.docker.compose.project=${project} --format '{{.Status}}'`;
    const areWell = async (): Promise<void> => {
      const states = (await type(line)).trim().split('\n');
      expect(states.map((state) => / \((.*)\)$/.exec(state)?.[1])).toEqual(Array.from({ length: 6 }, () => 'healthy'));
    };
    await vi.waitFor(areWell, { timeout: 90_000, interval: 1_000 });
  });
});
