import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../client/random.js';
import { nextSteps } from '../../../node-control/commands/next-steps.js';
import { typed } from '../../../node-control/safety/typed-step.js';
import { acceptorsOf, isConfigured } from '../../../src/protocol/configuration.js';
import { anyCommand } from '../../../verification/simulation/random-commands.js';
import { OperatedNodes } from '../operated-nodes.js';
import { GROW, SHRINK, START } from '../spec-commands.js';

const ALL = 'acceptor-1:6379,acceptor-2:6379,acceptor-3:6379';

/** What is told next: what for, and the commands as they are typed. */
async function nextOf(world: OperatedNodes): Promise<{ why: string; commands: string[] } | undefined> {
  const next = await world.time.run(nextSteps(world.nodes));
  return next && { why: next.why, commands: next.steps.map(typed) };
}

/** The nodes after these commands, with a key that was written after each. */
async function after(...commands: readonly string[]): Promise<OperatedNodes> {
  const world = new OperatedNodes();
  for (const command of commands) {
    await world.typeAll([command]);
    await world.put('k');
  }
  return world;
}

describe('the next steps', () => {
  it('are, along the whole way of the README, the command that the README has next', async () => {
    const world = new OperatedNodes();
    for (const way of [START, GROW, SHRINK.filter((command) => !command.startsWith('wipe'))]) {
      for (const [index, command] of way.entries()) {
        const next = await nextOf(world);
        // Where both sets are the same, the reader may stay, or grow in one command.
        const [first] = world.proposers.map(({ configuration }) => configuration);
        const isBetween = !first || !isConfigured(first) || first.prepare.nodes.length !== first.accept.nodes.length;
        const isNext = isBetween || (way !== GROW && command.startsWith('rescan'));
        if (isNext) expect(next?.commands[0], `before step ${index} (${command})`).toBe(command);
        else expect(next?.commands ?? []).not.toContain(command);
        await world.typeAll([command]);
        await world.put('k');
      }
    }
  });

  it('say in the middle of what the cluster is, and why a rescan', async () => {
    expect(await nextOf(await after(...START, GROW[0] ?? ''))).toEqual({
      why: 'In the middle of growing. What rests on 1 of acceptor-1 is not yet on every accept quorum. Next',
      commands: ['rescan acceptor-1:6379,acceptor-2:6379 2', 'add-prepare all acceptor-2:6379 2'],
    });
    expect(await nextOf(await after(`resize ${ALL}`, SHRINK[0] ?? ''))).toEqual({
      why: 'In the middle of shrinking. Next',
      commands: ['rm-prepare all acceptor-3:6379 2', 'rescan acceptor-1:6379,acceptor-2:6379 2'],
    });
    expect(await nextOf(await after(`resize ${ALL}`, SHRINK[0] ?? '', SHRINK[1] ?? ''))).toEqual({
      why: 'What rests on 2 of acceptor-1, acceptor-2, acceptor-3 is not yet on every accept quorum. Before you shrink: a rescan',
      commands: ['rescan acceptor-1:6379,acceptor-2:6379 2'],
    });
  });

  it('are nothing where any acceptor may be lost', async () => {
    expect(await nextOf(await after(`resize ${ALL}`))).toBeUndefined();
  });

  it('finish growing where the prepare set was changed first, and do not call it shrinking', async () => {
    const next = await nextOf(await after(...START, 'add-prepare all acceptor-2:6379 2'));
    expect(next?.why).toBe('In the middle of a change. Next');
    expect(next?.commands).toEqual(['add-accept all acceptor-2:6379 2']);
  });

  it('wipe first what left and holds keys, before it is to come back', async () => {
    const world = await after(...START, ...GROW, ...SHRINK.filter((command) => !command.startsWith('wipe')));
    expect((await nextOf(world))?.commands).toEqual(['wipe-acceptor acceptor-2:6379', 'wipe-acceptor acceptor-3:6379', `resize ${ALL}`]);
  });

  it('lead back to the acceptor that has the data, where the proposers have none any more', async () => {
    const world = await after('resize acceptor-2:6379');
    await world.typeAll(['wipe all']);
    expect(await nextOf(world)).toEqual({
      why: 'To begin again where values rest',
      commands: ['add-accept all acceptor-2:6379 1', 'add-prepare all acceptor-2:6379 1'],
    });
    await world.typeAll(['add-accept all acceptor-1:6379 1']);
    const next = await nextOf(world);
    await world.typeAll(next?.commands ?? []);
    await world.put('l');
    expect(world.acceptors.map(({ memory }) => memory.registers.has('k'))).toContain(true);
  });

  it('give all proposers the sets of one, where they differ', async () => {
    const world = await after(...START);
    await world.typeAll(['wipe proposer-2']);
    expect(await nextOf(world)).toMatchObject({
      why: expect.stringContaining('lost its volume') as string,
      commands: ['copy proposer-1 proposer-2'],
    });
  });

  it('replace an acceptor that lost its disk', async () => {
    const world = await after(`resize ${ALL}`);
    world.acceptors[2]?.loseDisk();
    expect(await nextOf(world)).toMatchObject({ why: 'To replace it' });
    await world.typeAll((await nextOf(world))?.commands ?? []);
    expect(await nextOf(world)).toBeUndefined();
  });

  it('are nothing while a proposer does not answer, or while a quorum does not that a rescan needs', async () => {
    const world = await after(...START, GROW[0] ?? '');
    world.acceptors[1]?.crash();
    expect((await nextOf(world))?.commands[0] ?? '').not.toContain('rescan');
    world.acceptors[1]?.start();
    world.proposers[1]?.crash();
    expect(await nextOf(world)).toBeUndefined();
  });

  it('change nothing, pass the guard, and end where the cluster serves, from wherever random commands and faults lead', async () => {
    let followed = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = randomFrom(seed);
      const world = new OperatedNodes(seed);
      const names = { acceptors: world.nodes.acceptors, proposers: world.proposers.map(({ name }) => name) };
      if (random() < 0.7) await world.type(`resize ${random() < 0.5 ? ALL : names.acceptors[Math.floor(random() * 3)]}`);
      const trail: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        for (let count = 1 + Math.floor(random() * 4); count > 0; count -= 1) {
          await disturb(world, random, trail, () => anyCommand(random, names));
        }
        followed += (await follow(world, trail)) ? 1 : 0;
      }
      for (const node of [...world.acceptors, ...world.proposers]) node.start();
      for (let count = 0; (await follow(world, trail)) && count < 12; count += 1);
      const [first] = world.proposers.map(({ configuration }) => configuration);
      const isServing = first !== undefined && isConfigured(first);
      // What a disk held that is lost may be lost for good.
      const identities = world.acceptors.map(({ identity }) => identity);
      const members = first ? acceptorsOf(first).map((name) => first.identities?.[name]) : [];
      const holders = (first?.resting ?? []).flatMap(({ nodes }) => nodes);
      const isLost = [...members, ...holders].some((identity) => !identities.includes(identity));
      if (!isLost) expect(isServing, `${seed}: ${trail.join('\n')}`).toBe(true);
    }
    expect(followed).toBeGreaterThan(60);
  });
});

/** Types some command, writes a key, or breaks or mends a node. */
async function disturb(
  world: OperatedNodes,
  random: () => number,
  trail: string[],
  command: () => ReturnType<typeof anyCommand>,
): Promise<void> {
  const kind = random();
  if (kind < 0.6) {
    const text = typed(command());
    trail.push(`${text}: ${(await world.type(text)) ?? 'done'}`);
    return;
  }
  if (kind < 0.75) return world.put(`k${Math.floor(random() * 3)}`);
  const acceptor = world.acceptors[Math.floor(random() * 3)];
  const proposer = world.proposers[Math.floor(random() * 2)];
  const acts: readonly [string, () => void][] = [
    [`${acceptor?.name} crashes`, () => acceptor?.crash()],
    [`${acceptor?.name} starts`, () => acceptor?.start()],
    [`${acceptor?.name} starts`, () => acceptor?.start()],
    [`${proposer?.name} crashes`, () => proposer?.crash()],
    [`${proposer?.name} starts`, () => proposer?.start()],
    [`${proposer?.name} starts`, () => proposer?.start()],
    ...(random() < 0.3 ? [[`${acceptor?.name} loses its disk`, () => acceptor?.loseDisk()] as [string, () => void]] : []),
  ];
  const [what, act] = acts[Math.floor(random() * acts.length)] ?? ['nothing', () => undefined];
  trail.push(what);
  act();
}

/** Types the first of the next steps, if there are any: it is not refused. */
async function follow(world: OperatedNodes, trail: string[]): Promise<boolean> {
  const before = world.snapshot();
  const next = await nextOf(world);
  expect(world.snapshot()).toEqual(before);
  const [first] = next?.commands ?? [];
  if (first === undefined) return false;
  const refusal = await world.type(first);
  trail.push(`${next?.why}: ${first}: ${refusal ?? 'done'}`);
  expect(refusal, trail.join('\n')).toBeUndefined();
  return true;
}
