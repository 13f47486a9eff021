import { addressParts, addressText, numberIn, simulatedIn, simulatedParts, type Simulated } from '../../verification/simulation/address.js';
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
  /** Of a run of the simulation: its choices are what happened in it, and nobody makes others. */
  readonly simulated?: Simulated;
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

/** The part of an address behind its `#`. @param at how many of the choices were made; the others can be gone on to */
export function addressOf({ cluster, seed, off, choices, simulated }: Run, at: number = choices.length): string {
  return addressText([
    ...(simulated ? simulatedParts(seed, simulated) : []),
    ...(!simulated && cluster !== USUAL_CLUSTER ? [['cluster', cluster] as const] : []),
    ...(!simulated && seed !== 1 ? [['seed', String(seed)] as const] : []),
    ...(off.length > 0 ? [['off', off.join('.')] as const] : []),
    ...(simulated ? [] : [['moves', choices.join('.')] as const]),
    ...(at < choices.length ? [['at', String(at)] as const] : []),
  ]);
}

/** Reads such an address. @throws TypeError for a number that is none, or too many moves; what the moves are is not looked at */
export function runAt(address: string): { run: Run; at: number } {
  const parts = addressParts(address);
  const listed = (name: string): string[] => (parts.get(name) ?? '').split('.').filter((item) => item !== '');
  const choices = listed('moves');
  if (choices.length > CHOICES_MAX) throw new TypeError(`an address has ${CHOICES_MAX} moves at most`);
  const simulated = simulatedIn(parts);
  const [cluster, seed, off] = [parts.get('cluster') ?? USUAL_CLUSTER, numberIn(parts.get('seed'), 1), listed('off')];
  const at = numberIn(parts.get('at'), Infinity);
  return simulated
    ? { run: { cluster, seed, off, choices: [], simulated }, at }
    : { run: { cluster, seed, off, choices }, at: Math.min(at, choices.length) };
}
