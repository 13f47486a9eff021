import { Stage } from './stage.js';

/** All that a run is made of. */
export interface Run {
  /** The nodes, see `Stage`. */
  readonly cluster: string;
  /** Of the adversary, whose moves are among the choices: it goes on as it began. */
  readonly seed: number;
  /** The rules that are switched off, by their short names. */
  readonly off: readonly string[];
  readonly choices: readonly string[];
}

/** Three acceptors that are known by their identities, and a majority for both phases. */
export const USUAL_CLUSTER = 'acceptors=3 prepare=2 accept=2 identities=yes';

/** One acceptor, in the middle of its life: what a cluster grows from. */
export const SINGLE_CLUSTER = 'acceptors=3 era=4 prepare=1:a1 accept=1:a1 identities=yes';

/** More would be no run to look at, and an address that nobody can send. */
export const CHOICES_MAX = 1_000;

/** A stage on which these choices were made. Rejects as `Stage.apply` throws. */
export async function replay({ cluster, choices }: Pick<Run, 'cluster' | 'choices'>, upTo: number = choices.length): Promise<Stage> {
  const stage = new Stage(cluster);
  for (const choice of choices.slice(0, upTo)) await stage.apply(choice);
  return stage;
}

/**
 * The part of an address behind its `#`.
 * @param at how many of the choices were made; the others can be gone on to
 */
export function addressOf({ cluster, seed, off, choices }: Run, at: number = choices.length): string {
  const parts: [name: string, value: string][] = [];
  if (cluster !== USUAL_CLUSTER) parts.push(['cluster', cluster]);
  if (seed !== 1) parts.push(['seed', String(seed)]);
  if (off.length > 0) parts.push(['off', off.join('.')]);
  parts.push(['moves', choices.join('.')]);
  if (at < choices.length) parts.push(['at', String(at)]);
  return parts.map(([name, value]) => `${name}=${encodeURIComponent(value.replaceAll(' ', '_'))}`).join('&');
}

/**
 * Reads such an address.
 * @throws TypeError for a number that is none, or too many moves; what the moves are is not looked at
 */
export function runAt(address: string): { run: Run; at: number } {
  const parts = new Map(
    address.split('&').map((part) => {
      const [name = '', value = ''] = part.split(/=(.*)/);
      return [name, decoded(value).replaceAll('_', ' ')];
    }),
  );
  const listed = (name: string): string[] => (parts.get(name) ?? '').split('.').filter((item) => item !== '');
  const choices = listed('moves');
  if (choices.length > CHOICES_MAX) throw new TypeError(`an address has ${CHOICES_MAX} moves at most`);
  const run = { cluster: parts.get('cluster') ?? USUAL_CLUSTER, seed: numberIn(parts.get('seed'), 1), off: listed('off'), choices };
  return { run, at: Math.min(numberIn(parts.get('at'), choices.length), choices.length) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError(`not a part of an address: ${text}`);
  }
}

function numberIn(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`not a number: ${text}`);
  return Number(text);
}
