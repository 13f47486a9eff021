import type { Step } from '../../node-control/safety/typed-step.js';
import type { Random } from '../../client/random.js';

interface Names {
  readonly acceptors: readonly string[];
  readonly proposers: readonly string[];
}

/** `resize` to other acceptors, again and again; in between some of those that are left out are wiped. */
export function resizes(random: Random, acceptors: readonly string[], count: number): Step[] {
  const commands: Step[] = [];
  for (let index = 0; index < count; index += 1) {
    const target = someOf(random, acceptors);
    commands.push({ verb: 'resize', acceptors: target });
    const others = acceptors.filter((name) => !target.includes(name));
    for (const acceptor of others) if (random() < 0.5) commands.push({ verb: 'wipe-acceptor', acceptor });
  }
  return commands;
}

/** Collections, with changes of the acceptors between them. */
export function collections(random: Random, acceptors: readonly string[], count: number): Step[] {
  return Array.from({ length: count }, (): Step => {
    const kind = random();
    if (kind < 0.65) return { verb: 'collect' };
    if (kind < 0.9) return { verb: 'resize', acceptors: someOf(random, acceptors) };
    const some = someOf(random, acceptors);
    if (kind < 0.95) return { verb: 'wipe-acceptor', acceptor: some[0] ?? '' };
    return { verb: 'rescan', acceptors: some, required: 1 + Math.floor(random() * some.length) };
  });
}

const CHANGES = [
  { verb: 'add', phase: 'accept' },
  { verb: 'add', phase: 'prepare' },
  { verb: 'rm', phase: 'accept' },
  { verb: 'rm', phase: 'prepare' },
] as const;

/** Commands as they come to somebody's mind. Most of them are refused, and whatever passes must not lose anything. */
export function anyCommands(random: Random, nodes: Names, count: number): Step[] {
  return Array.from({ length: count }, () => anyCommand(random, nodes));
}

export function anyCommand(random: Random, { acceptors, proposers }: Names): Step {
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const who = (): string => (random() < 0.7 ? 'all' : oneOf(proposers));
  const kind = random();
  if (kind < 0.45) {
    const change = oneOf(CHANGES);
    return { ...change, proposers: who(), acceptor: oneOf(acceptors), quorum: oneOf([0, 1, 1, 2, 2, 2, 3, 3]) };
  }
  if (kind < 0.6) {
    const listed = someOf(random, acceptors);
    return { verb: 'rescan', acceptors: listed, required: 1 + Math.floor(random() * listed.length) };
  }
  if (kind < 0.7) return { verb: 'wipe-acceptor', acceptor: oneOf(acceptors) };
  if (kind < 0.76) return { verb: 'wipe', proposers: who() };
  if (kind < 0.84) return { verb: 'copy', from: oneOf(proposers), proposers: who() };
  if (kind < 0.9) return { verb: 'collect' };
  return { verb: 'resize', acceptors: someOf(random, acceptors) };
}

/** One to all of them, in any order. */
function someOf(random: Random, names: readonly string[]): string[] {
  const rest = [...names];
  const count = 1 + Math.floor(random() * names.length);
  return Array.from({ length: count }, () => rest.splice(Math.floor(random() * rest.length), 1)).flat();
}
