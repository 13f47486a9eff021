import type { Random } from '../../client/random.js';

interface Nodes {
  readonly acceptors: readonly string[];
  readonly proposers: readonly string[];
}

/** `resize` to other acceptors, again and again; in between some of those that are left out are wiped. */
export function resizes(random: Random, acceptors: readonly string[], count: number): string[] {
  const commands: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const target = someOf(random, acceptors);
    commands.push(`resize ${target.join(',')}`);
    const others = acceptors.filter((name) => !target.includes(name));
    for (const name of others) if (random() < 0.5) commands.push(`wipe-acceptor ${name}`);
  }
  return commands;
}

/** Commands as they come to somebody's mind. Most of them are refused, and whatever passes must not lose anything. */
export function anyCommands(random: Random, nodes: Nodes, count: number): string[] {
  return Array.from({ length: count }, () => anyCommand(random, nodes));
}

export function anyCommand(random: Random, { acceptors, proposers }: Nodes): string {
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const who = (): string => (random() < 0.7 ? 'all' : oneOf(proposers));
  const kind = random();
  if (kind < 0.45) {
    const command = oneOf(['add-accept', 'add-prepare', 'rm-accept', 'rm-prepare']);
    return `${command} ${who()} ${oneOf(acceptors)} ${oneOf([0, 1, 1, 2, 2, 2, 3, 3])}`;
  }
  if (kind < 0.6) {
    const listed = someOf(random, acceptors);
    return `rescan ${listed.join(',')} ${1 + Math.floor(random() * listed.length)}`;
  }
  if (kind < 0.7) return `wipe-acceptor ${oneOf(acceptors)}`;
  if (kind < 0.76) return `wipe ${who()}`;
  if (kind < 0.84) return `copy ${oneOf(proposers)} ${who()}`;
  return `resize ${someOf(random, acceptors).join(',')}`;
}

/** One to all of them, in any order. */
function someOf(random: Random, names: readonly string[]): string[] {
  const rest = [...names];
  const count = 1 + Math.floor(random() * names.length);
  return Array.from({ length: count }, () => rest.splice(Math.floor(random() * rest.length), 1)).flat();
}
