import type { Nodes } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { stepOf } from '../safety/typed-step.js';
import type { Manner } from '../step/step.js';
import type { Terminal } from '../terminal/terminal.js';
import { carryOut } from './carry-out.js';
import { afterWipe } from './headline.js';
import { dump, ls, status } from './show.js';

/** One command of `run-control.sh`. Its program, its `--help` and the tests of the README follow from this list. */
export interface ListedCommand {
  readonly name: string;
  readonly description: string;
  /** What follows the name: each word, in square brackets if it may be left out and then is `all`, and what it means. */
  readonly words: readonly (readonly [word: string, meaning: string])[];
  readonly options: readonly ('force' | 'dry-run' | 'by-rounds')[];
  /** @returns what is to be printed at the end */
  readonly run: (nodes: Nodes, words: readonly string[], terminal: Terminal, manner: Manner) => Promise<string[]>;
}

const PROPOSERS = ['PROPOSER', 'the name of a proposer, or all'] as const;
const ACCEPTOR = ['ACCEPTOR', 'host:port, or the host where that is enough'] as const;
const QUORUM = ['QUORUM', 'the quorum of the set from then on'] as const;

export const COMMANDS: readonly ListedCommand[] = [
  looking('ls', 'name the proposers and the acceptors', async (nodes) => ls(nodes)),
  {
    ...looking('dump', 'print configurations as JSON', (nodes, [selection = 'all']) => dump(nodes, selection)),
    words: [['[PROPOSER]', 'a proposer, or all']],
  },
  looking('status', 'print one table of all nodes', (nodes, _words, terminal) => printStatus(nodes, terminal)),
  {
    ...stepping('resize', 'lead all proposers to these acceptors, step by step; run it again where it was interrupted', [
      ['ACCEPTORS', 'the acceptors from then on, with commas between'],
    ]),
    options: ['dry-run', 'by-rounds'],
    run: async (nodes, words, terminal, manner) => {
      for (const line of await carryOut(stepOf(['resize', ...words]), nodes, terminal, manner)) terminal.print(line);
      return manner.dryRun ? [] : printStatus(nodes, terminal);
    },
  },
  wiping('wipe', 'take all acceptors from a proposer, which then refuses every operation; the acceptors keep their keys'),
  wiping('unconfigure', 'the same as wipe'),
  stepping('copy', 'give a proposer that lost its configuration, or is new, both sets of another one', [
    ['FROM', 'the proposer that has them'],
    PROPOSERS,
  ]),
  stepping('add-accept', 'add an acceptor to the accept set and set its quorum', [PROPOSERS, ACCEPTOR, QUORUM]),
  stepping('rm-accept', 'remove an acceptor from the accept set and set its quorum', [PROPOSERS, ACCEPTOR, QUORUM]),
  stepping('add-prepare', 'add an acceptor to the prepare set and set its quorum', [PROPOSERS, ACCEPTOR, QUORUM]),
  stepping('rm-prepare', 'remove an acceptor from the prepare set and set its quorum', [PROPOSERS, ACCEPTOR, QUORUM]),
  {
    ...stepping('rescan', 'bring every key to the acceptors of the present sets', [
      ['ACCEPTORS', 'acceptors to list the keys of, with commas between'],
      ['REQUIRED', 'how many of them must list their keys completely'],
    ]),
    options: ['by-rounds'],
    run: async (nodes, words, terminal, manner) => {
      const step = stepOf(['rescan', ...words]);
      if (step.verb === 'rescan') assertKnown(nodes, step.acceptors, step.required);
      return carryOut(step, nodes, terminal, manner);
    },
  },
  stepping('wipe-acceptor', 'remove all data of an acceptor that no proposer lists any more', [ACCEPTOR]),
  { ...stepping('collect', 'remove the registers of deleted keys from all acceptors', []), options: ['dry-run'] },
];

function looking(name: string, description: string, run: ListedCommand['run']): ListedCommand {
  return { name, description, words: [], options: [], run };
}

/** A command that changes something, and is refused if that is not safe. */
function stepping(name: string, description: string, words: ListedCommand['words']): ListedCommand {
  const run: ListedCommand['run'] = (nodes, given, terminal, manner) => carryOut(stepOf([name, ...given]), nodes, terminal, manner);
  return { name, description, words, options: ['force', 'dry-run'], run };
}

/** Says at its end what is refused from then on, and the way back. */
function wiping(name: string, description: string): ListedCommand {
  const run: ListedCommand['run'] = async (nodes, given, terminal, manner) => {
    const lines = await carryOut(stepOf(['wipe', ...given]), nodes, terminal, manner);
    return manner.dryRun ? lines : [...lines, ...(await afterWipe(nodes))];
  };
  return { ...stepping(name, description, [PROPOSERS]), run };
}

async function printStatus(nodes: Nodes, { print }: Terminal): Promise<string[]> {
  await status(nodes, print);
  return [];
}

/** Of what an operator typed. A step that `resize` found may rescan an acceptor that this control node was not told of. */
function assertKnown(nodes: Nodes, acceptors: readonly string[], required: number): void {
  for (const acceptor of acceptors) nodes.assertAcceptor(acceptor);
  if (required >= 1 && required <= acceptors.length) return;
  throw new ControlError(`REQUIRED must be 1 to ${acceptors.length}, the number of acceptors listed, not ${required}`);
}
