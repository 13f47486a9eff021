import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readAddresses } from '../../src/node/addresses.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { UNSEEN } from '../../node-control/terminal/terminal.js';
import { parse } from '../../node-control/safety/typed-step.js';
import { type Connections, overNetwork } from '../../node-control/nodes/connections.js';
import type { Manner } from '../../node-control/step/step.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import { acceptorName, type Cluster, configurationOf, majorities } from '../cluster.js';
import { sharedCluster } from '../shared-cluster.js';
import { Mortal } from './mortal-connections.js';

const [A, B, C] = [1, 2, 3].map(acceptorName) as [string, string, string];
const TOUR = [
  ...[`add-accept all ${A} 1`, `add-prepare all ${A} 1`],
  ...[`add-accept all ${B} 2`, `rescan ${A},${B} 2`, `add-prepare all ${B} 2`, `add-accept all ${C} 2`, `add-prepare all ${C} 2`],
  ...[`rm-accept all ${C} 2`, `rm-prepare all ${C} 2`, `rescan ${A},${B} 2`, `rm-accept all ${B} 1`, `rm-prepare all ${B} 1`],
  ...[`wipe-acceptor ${B}`, `wipe-acceptor ${C}`],
];
const DIE_AT_WRITE = fileURLToPath(new URL('die-at-write.mjs', import.meta.url));
/** More writes than any command makes. */
const WRITES_MAX = 100;

/** As one program of the control node; undefined where it was done, else why not. */
async function attempt(connections: Connections, command: string, manner: Manner = {}): Promise<Error | undefined> {
  const nodes = new Nodes(['proposer-1', 'proposer-2'], [A, B, C], connections);
  try {
    await carryOut(parse(command), nodes, UNSEEN, manner);
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  } finally {
    await nodes.close();
  }
}

const setsOf = ({ prepare, accept }: Configuration): unknown => ({ prepare, accept });

it('a control node that is killed before or after any of its writes: the same command finishes what it began, and nothing else goes on top of half of it', async () => {
  const cluster = await sharedCluster({ configured: 0 });
  const network = overNetwork(readAddresses(cluster.addressMap));
  let points = 0;
  let halves = 0;
  for (const [index, command] of TOUR.entries()) {
    const before = await configurationOf(cluster.proposer(1));
    for (const moment of ['before', 'after'] as const) {
      for (let killAt = 1; killAt < WRITES_MAX; killAt += 1) {
        const mortal = new Mortal(network, killAt, moment);
        const reason = await attempt(mortal.connections, command);
        if (!mortal.isDead) {
          expect(reason, command).toBeUndefined();
          break;
        }
        points += 1;
        const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
        const isHalfDone = JSON.stringify(one && setsOf(one)) !== JSON.stringify(two && setsOf(two));
        const next = TOUR[index + 1];
        if (isHalfDone && next && !next.startsWith('wipe')) {
          halves += 1;
          expect(await attempt(network, next, { dryRun: true }), `${next} after half of ${command}`).toBeInstanceOf(ControlError);
        }
        expect(await attempt(network, command), command).toBeUndefined();
        // Back to where this step began, for the next point to die at.
        if (!command.startsWith('wipe')) await cluster.configure(before);
      }
    }
    expect(await attempt(network, command), command).toBeUndefined();
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toEqual(two);
    if (index === 1) expect((await cluster.proposer(1).kv.put('quiet', 0, 'kept')).status).toBe(201);
    if (index >= 1) expect((await cluster.proposer(2).kv.get('quiet')).body).toMatchObject({ ver: 1, val: 'kept' });
  }
  expect(points).toBeGreaterThan(2 * TOUR.length);
  expect(halves).toBeGreaterThan(5);
  expect(await configurationOf(cluster.proposer(1))).toMatchObject(majorities(1));
});

it('an operator whose step was overtaken by another one finds out before it writes its sets', async () => {
  const cluster = await sharedCluster({ configured: 0 });
  const network = overNetwork(readAddresses(cluster.addressMap));
  for (const command of TOUR.slice(0, 2)) expect(await attempt(network, command)).toBeUndefined();
  const before = await configurationOf(cluster.proposer(1));
  let writes = 0;
  const slow: Connections = {
    ...network,
    proposer: (name) => {
      const admin = network.proposer(name);
      return Object.assign(Object.create(admin) as typeof admin, {
        configure: async (expectedEra: number, next: Configuration) => {
          writes += 1;
          // Everything of the other one happens between the first two writes of this one.
          if (writes === 2) expect(await attempt(network, `add-accept all ${B} 2`)).toBeUndefined();
          return admin.configure(expectedEra, next);
        },
        configuration: () => admin.configuration(),
        identity: () => admin.identity(),
        close: () => admin.close(),
      });
    },
  };
  const reason = await attempt(slow, `add-prepare all ${B} 2`);
  expect(reason?.message).toMatch(/^proposer-2 refused: .*somebody else changed it.*run the command again/);
  for (const configuration of await Promise.all(cluster.proposers.map(configurationOf))) {
    expect(configuration).toMatchObject({ prepare: before.prepare, accept: { nodes: [A, B], quorum: 2 } });
  }
});

it('resize is finished by typing it again, wherever SIGKILL met it', { timeout: 180_000 }, async () => {
  const cluster = await sharedCluster({ configured: 0 });
  const resize = (target: string, dieAtWrite: number): ReturnType<Cluster['control']> =>
    cluster.controlWith({ NODE_OPTIONS: `--import ${DIE_AT_WRITE}`, DIE_AT_WRITE: String(dieAtWrite) }, 'resize', target);
  expect((await cluster.control('resize', A)).code).toBe(0);
  await cluster.proposer(1).kv.put('quiet', 0, 'kept');
  const targets = [`${A},${B},${C}`, A];
  let killed = 0;
  let finished = 0;
  // The first test dies at each write, without a process: this one in each part of the command.
  for (let dieAtWrite = 2; finished < 2; dieAtWrite += 23) {
    const target = targets[killed % 2] ?? A;
    const first = await resize(target, dieAtWrite);
    if (first.code === 0) finished += 1;
    else expect(first.code).toBeNull();
    const { code, stdout, stderr } = await cluster.control('resize', target);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^NODE +STATE/m);
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toEqual(two);
    expect(one).toMatchObject(majorities(target.split(',').length));
    expect((await cluster.proposer(2).kv.get('quiet')).body).toMatchObject({ ver: 1, val: 'kept' });
    if (target === A) for (const name of [B, C]) expect((await cluster.control('wipe-acceptor', name)).code).toBe(0);
    killed += 1;
  }
  expect(killed).toBeGreaterThan(5);
});
