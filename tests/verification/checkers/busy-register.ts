import { randomFrom } from '../../../client/random.js';
import { History, type ClientOutcome, type Request } from '../../../verification/checkers/history.js';

export interface Busy {
  readonly seed: number;
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** From 0 to 1: how many of the writes have an unknown outcome. Half of those take effect at once, a quarter later, the rest never. */
  readonly unknown: number;
}

/** Clients who read and write versioned registers that are what they should be: a linearizable history, and what the keys hold in the end. */
export function busyRegister({ seed, operations, clients, keys, unknown }: Busy): {
  history: History;
  finals: Map<string, { ver: number; val: string | null }>;
} {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  let nowMs = 0;
  const history = new History(() => nowMs);
  const names = Array.from({ length: keys }, (_, index) => `k${index}`);
  const finals = new Map(names.map((name) => [name, { ver: 0, val: null as string | null }]));
  const stateOf = (key: string): { ver: number; val: string | null } => finals.get(key) ?? { ver: 0, val: null };
  const late: (() => void)[] = [];
  const running = new Map<number, () => void>();

  const begin = (client: number): void => {
    const key = names[below(keys)] ?? '';
    const known = stateOf(key);
    const isWrite = random() < 0.5;
    const request: Request = isWrite
      ? { kind: 'cas', ver: known.ver, val: `v${history.operations.length}`, onto: known.val }
      : { kind: 'get' };
    const answer = history.invoke(`client-${client}`, key, request);
    const apply = (): ClientOutcome => {
      const state = stateOf(key);
      if (request.kind === 'get' || request.ver !== state.ver) return { kind: 'state', ...state };
      finals.set(key, { ver: state.ver + 1, val: request.val });
      return { kind: 'written', ver: state.ver + 1 };
    };
    const isUnknown = isWrite && random() < unknown;
    const fate = random();
    if (isUnknown && fate < 0.25) late.push(apply);
    const outcome = isUnknown && fate < 0.5 ? ({ kind: 'unknown' } as const) : apply();
    running.set(client, () => answer(isUnknown ? { kind: 'unknown' } : outcome));
  };

  while (history.operations.length < operations || running.size > 0) {
    nowMs += below(3);
    const client = below(clients);
    const end = running.get(client);
    running.delete(client);
    if (end) end();
    else if (history.operations.length < operations) begin(client);
    if (random() < 0.02) late.splice(below(late.length), 1)[0]?.();
  }
  return { history, finals };
}
