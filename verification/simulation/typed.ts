import type { Step } from '../../node-control/safety/typed-step.js';
import { type Random, randomFrom } from '../../client/random.js';
import { FLEX, forAcceptors, GROW, SHRINK, START, WIPE } from './migration.js';
import { acceptorName, proposerName } from './node-names.js';
import { anyCommands, collections, resizes } from './random-commands.js';
import type { ScenarioName } from './scenario-names.js';

/** What the operator of a run types. */
export interface Typed {
  /** Before the clients begin; while they run; and when all is mended. The last have to succeed. */
  readonly start: readonly Step[];
  readonly commands: readonly Step[];
  readonly ending: readonly Step[];
  /** Whether each command has to succeed before the next one is typed, as the README says. The last one then must not be left half done. */
  readonly inOrder: boolean;
}

const NOTHING: Typed = { start: [], commands: [], ending: [], inOrder: true };

/** How many commands a run has in which they do not follow a list. */
const RESIZES = 7;
const COLLECTIONS = 12;
const ANY_COMMANDS = 40;

export interface Drawn {
  readonly seed: number;
  /** The acceptors of a migration, in the order in which they join. */
  readonly names: readonly string[];
  /** How often a migration goes up and down, and whether with other quorums in between. */
  readonly passes: readonly { readonly isFlexible: boolean }[];
  readonly acceptors: number;
  readonly proposers: number;
}

/** What is typed in a run of this scenario. */
export function typedIn(scenario: ScenarioName, { seed, names, passes, acceptors, proposers }: Drawn): Typed {
  const named = (count: number, name: (number: number) => string): string[] => Array.from({ length: count }, (_, index) => name(index + 1));
  const all = named(acceptors, acceptorName);
  const random = randomFrom(seed ^ 0x7e57);
  if (scenario.endsWith('migration')) return migrationTyped(names, passes);
  if (scenario === 'stepwise quorums') return quorumsTyped(names);
  if (scenario.endsWith('resize') || scenario === 'old folders') return resizesTyped(random, all);
  if (scenario.endsWith('collections')) return collectionsTyped(random, all);
  if (scenario === 'any commands') return anyTyped(random, all, named(proposers, proposerName));
  return NOTHING;
}

/** The README's migration once or twice up and down, and up again, with other quorums in between. */
function migrationTyped(acceptors: readonly string[], passes: readonly { readonly isFlexible: boolean }[]): Typed {
  const commands = passes.flatMap(({ isFlexible }) => [...GROW, ...(isFlexible ? FLEX : []), ...SHRINK, ...WIPE]);
  return { ...NOTHING, start: forAcceptors(START, acceptors), commands: forAcceptors([...commands, ...GROW], acceptors) };
}

function quorumsTyped(acceptors: readonly string[]): Typed {
  return { ...NOTHING, commands: forAcceptors(Array.from({ length: 6 }, () => FLEX).flat(), acceptors) };
}

function resizesTyped(random: Random, acceptors: readonly string[]): Typed {
  const [start, ending] = [resizes(random, acceptors, 1), resizes(random, acceptors, 1)];
  return { start: start.slice(0, 1), commands: resizes(random, acceptors, RESIZES), ending: ending.slice(0, 1), inOrder: false };
}

/** The last one finds all alike, and every proposer and acceptor up. */
function collectionsTyped(random: Random, acceptors: readonly string[]): Typed {
  const { start, ending } = resizesTyped(random, acceptors);
  const commands = collections(random, acceptors, COLLECTIONS);
  return { start, commands, ending: [...ending, { verb: 'collect' }], inOrder: false };
}

function anyTyped(random: Random, acceptors: readonly string[], proposers: readonly string[]): Typed {
  const { start, ending } = resizesTyped(random, acceptors);
  // From whatever state it was left in, all of them together can be reached, and from there anything.
  const all: Step = { verb: 'resize', acceptors };
  return { start, commands: anyCommands(random, { acceptors, proposers }, ANY_COMMANDS), ending: [all, ...ending], inOrder: false };
}
