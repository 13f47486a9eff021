import { type Configuration, acceptorsOf } from '../../src/configuration.js';
import { NetworkError } from '../../src/http-client.js';
import type { QuorumSet } from '../../src/quorum.js';
import { type Cluster, ControlError, type Member } from '../cluster.js';
import { formatTable } from '../table.js';

/** One glance at the state: every proposer with its sets, every acceptor with its keys, and what is not as it should be. */
export async function status(cluster: Cluster, print: (line: string) => void): Promise<void> {
  const present = await cluster.tryReadAll();
  const numbers = await Promise.all(
    present.map(({ member, configuration }) => (configuration ? numberOf(member) : Promise.resolve(undefined))),
  );
  const sizes = await Promise.all(cluster.acceptors.map((name) => sizeOf(cluster, name)));
  const listed = new Set(present.flatMap(({ configuration }) => (configuration ? acceptorsOf(configuration) : [])));

  const rows = [['NODE', 'STATE', 'ERA', 'PREPARE', 'ACCEPT', 'KEYS']];
  for (const { member, configuration } of present) {
    const cells = configuration
      ? ['reachable', String(configuration.era), setText(configuration.prepare), setText(configuration.accept), '-']
      : ['unreachable', '-', '-', '-', '-'];
    rows.push([member.name, ...cells]);
  }
  cluster.acceptors.forEach((name, index) => {
    const role = (phase: 'prepare' | 'accept'): string =>
      present.some(({ configuration }) => configuration?.[phase].nodes.includes(name)) ? 'listed' : '-';
    const size = sizes[index];
    rows.push([
      name,
      size === undefined ? 'unreachable' : 'reachable',
      '-',
      role('prepare'),
      role('accept'),
      size === undefined ? '?' : String(size),
    ]);
  });
  for (const line of formatTable(rows)) print(line);
  for (const line of notes(
    present,
    numbers,
    [...listed].filter((name) => !cluster.acceptors.includes(name)),
  ))
    print(line);

  const missing = present.filter(({ configuration }) => !configuration).map(({ member }) => member.name);
  if (missing.length > 0) throw new ControlError(`${missing.join(' and ')} cannot be reached`);
}

function notes(
  present: readonly { configuration: Configuration | undefined }[],
  numbers: readonly (number | undefined)[],
  unknown: readonly string[],
): string[] {
  const configurations = present.flatMap(({ configuration }) => (configuration ? [configuration] : []));
  const known = numbers.filter((number) => number !== undefined);
  const isSplit = new Set(configurations.map((configuration) => JSON.stringify(configuration))).size > 1;
  return [
    ...(new Set(known).size < known.length
      ? ['Two proposers have the same number, so they may use the same ballots. Stop one and give it a PROPOSER_ID of its own.']
      : []),
    ...(isSplit ? ['The proposers differ: a step is under way or was interrupted. Run it again, for all.'] : []),
    ...unknown.map((name) => `A proposer lists ${name}, which this control node does not know.`),
  ];
}

function setText({ nodes, quorum }: QuorumSet): string {
  return nodes.length === 0 ? 'none' : `${quorum} of ${nodes.join(' ')}`;
}

async function numberOf({ admin }: Member): Promise<number | undefined> {
  try {
    const answer = await admin.identity();
    return answer.ok ? answer.body.proposer : undefined;
  } catch (error) {
    if (error instanceof NetworkError) return undefined;
    throw error;
  }
}

function sizeOf(cluster: Cluster, name: string): Promise<number | undefined> {
  return cluster.withAcceptor(name, (admin) => admin.size()).catch(() => undefined);
}
