import fc from 'fast-check';
import { applied } from './orders.js';
import type { ClientOutcome, RecordedOperation, Request, State } from '../../../verification/checkers/history.js';

/** When things happen; of two that happen at once, the order is that of the list. */
interface Moments {
  readonly invoked: number;
  readonly returned: number;
}

const moments = fc
  .record({ invoked: fc.nat(12), lasts: fc.nat(6) })
  .map(({ invoked, lasts }): Moments => ({ invoked, returned: invoked + lasts }));

/** What a client may ask; the words are given out later, each once. */
const anyRequest = fc.oneof(
  fc.constant({ kind: 'get' } as const),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cas' as const), ver: fc.nat(2) }) },
  fc.record({ kind: fc.constantFrom('set' as const, 'append' as const), ver: fc.constantFrom(undefined, undefined, undefined, 0, 1, 2) }),
  fc.record({ kind: fc.constant('delete' as const), ver: fc.constantFrom(undefined, undefined, 1, 2) }),
);

type Asked = typeof anyRequest extends fc.Arbitrary<infer Value> ? Value : never;

function withWord(asked: Asked, word: string): Request {
  switch (asked.kind) {
    case 'get':
      return asked;
    case 'cas':
      return { ...asked, val: word, onto: null };
    case 'delete':
      return { kind: 'delete', ...(asked.ver !== undefined && { ver: asked.ver }) };
    default:
      return { kind: asked.kind, val: word, ...(asked.ver !== undefined && { ver: asked.ver }) };
  }
}

const WORDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const version = fc.nat(3);
const value = fc.constantFrom('a', 'b', 'c', 'd', 'a b', 'b a', null, null);

/** Answers at random: few of these histories are linearizable. */
export const anyHistory = fc
  .array(
    fc.record({
      moments,
      asked: anyRequest,
      outcome: fc.oneof(
        { weight: 3, arbitrary: fc.record({ kind: fc.constant('state' as const), ver: version, val: value }) },
        { weight: 3, arbitrary: fc.record({ kind: fc.constant('written' as const), ver: version }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('written' as const), ver: version, val: value }) },
        { weight: 1, arbitrary: fc.constant({ kind: 'refused' } as const) },
        { weight: 3, arbitrary: fc.constant({ kind: 'unknown' } as const) },
        { weight: 1, arbitrary: fc.constant(undefined) },
      ),
    }),
    { maxLength: 6 },
  )
  .map((all) =>
    numbered(all.map(({ moments, asked, outcome }, index) => ({ moments, request: withWord(asked, WORDS[index] ?? ''), outcome }))),
  );

/** What a client asks, when it takes effect, and what becomes of the answer. */
const step = fc.record({
  moments,
  /** Between the two moments; where the outcome is open, a write may take effect later. */
  effect: fc.double({ min: 0, max: 1, noNaN: true }),
  laterBy: fc.nat(8),
  kind: fc.constantFrom(...(['get', 'get', 'cas', 'cas', 'set', 'append', 'append version', 'delete', 'delete version'] as const)),
  /** What a write expects, from the present version. */
  off: fc.constantFrom(0, 0, 0, 0, 1, -1),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'unknown', 'never answered', 'lost', 'refused'),
});

/** What a register answered, so that all are linearizable. */
export const trueHistory = stepsOf(1, 7).map((steps) => played(steps));

/** The same of a key that holds numbers: where the others append, it adds. */
export const trueNumbers = stepsOf(1, 7).map((steps) => played(steps, inNumbers));

/** A long one, with this many operations. */
export function longTrueHistory(length: number): fc.Arbitrary<RecordedOperation[]> {
  return stepsOf(length, length).map((steps) =>
    played(
      steps.map((each, index) => ({
        ...each,
        moments: { invoked: index + each.moments.invoked, returned: index + each.moments.returned },
      })),
    ),
  );
}

/** What a register answered, but for one answer, which is another or came at another moment: the near misses. */
export const bentHistory = bent((steps) => played(steps));
export const bentNumbers = bent((steps) => played(steps, inNumbers));

function bent(play: (steps: readonly Step[]) => RecordedOperation[]): fc.Arbitrary<RecordedOperation[]> {
  const how = fc.constantFrom(...(['answer', 'version', 'later', 'earlier'] as const));
  const bends = fc.record({ steps: stepsOf(3, 7), at: fc.nat(), other: fc.nat(), up: fc.boolean(), how });
  return bends.map(({ steps, at, other, up, how }): RecordedOperation[] => {
    const operations = play(steps);
    const told = [...operations.entries()].filter(([, { returned }]) => returned && /state|written/.test(returned.outcome.kind));
    const [index, bent] = told[at % told.length] ?? [];
    if (index === undefined || !bent?.returned) return operations;
    const { returned } = bent;
    const answers = [...told.map(([, operation]) => operation.returned?.outcome), { kind: 'refused' } as const].filter(
      (answer) => answer !== undefined,
    );
    const { outcome } = returned;
    switch (how) {
      case 'answer':
        operations[index] = { ...bent, returned: { ...returned, outcome: answers[other % answers.length] ?? outcome } };
        break;
      case 'version':
        if (outcome.kind === 'state' || outcome.kind === 'written')
          operations[index] = { ...bent, returned: { ...returned, outcome: { ...outcome, ver: outcome.ver + (up ? 1 : -1) } } };
        break;
      // At a number that no other event has.
      case 'later':
        operations[index] = { ...bent, invokedAt: returned.at - 0.5 };
        break;
      case 'earlier':
        operations[index] = { ...bent, returned: { ...returned, at: bent.invokedAt + 0.5 } };
    }
    return operations;
  });
}

function stepsOf(minLength: number, maxLength: number): fc.Arbitrary<Step[]> {
  return fc.array(step, { minLength, maxLength, size: 'max' });
}

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Lets each step happen to a register at the moment of its effect. */
function played(all: readonly Step[], worded = (request: Request): Request => request): RecordedOperation[] {
  let state: State = { ver: 0, val: null };
  const steps = all.map((each, index) => {
    const { invoked, returned } = each.moments;
    const isOpen = each.fate === 'unknown' || each.fate === 'never answered';
    return { ...each, index, at: invoked + each.effect * (returned - invoked) + (isOpen ? each.laterBy : 0) };
  });
  const happened = new Map<number, { request: Request; outcome: ClientOutcome | undefined }>();
  for (const { index, kind, off, fate } of steps.sort((a, b) => a.at - b.at)) {
    const request = worded(requestOf(kind, `v${index}`, state, off));
    const next = fate === 'lost' || fate === 'refused' ? undefined : applied(state, request);
    const isWrite = request.kind !== 'get';
    let outcome: ClientOutcome = { kind: 'state', ...state };
    if (next) outcome = { kind: 'written', ...next, ...(next.ver % 2 === 0 && { val: next.val }) };
    else if (isWrite && applied(state, request)) outcome = { kind: fate === 'lost' ? 'unknown' : 'refused' };
    state = next ?? state;
    if (fate === 'refused' || fate === 'unknown') outcome = { kind: fate };
    happened.set(index, { request, outcome: fate === 'never answered' ? undefined : outcome });
  }
  return numbered(
    all.map(({ moments }, index) => ({ moments, ...(happened.get(index) as { request: Request; outcome: ClientOutcome | undefined }) })),
  );
}

/** @param off what a write that expects a version expects, from the present one */
function requestOf(kind: Step['kind'], word: string, { ver, val }: State, off: number): Request {
  const expected = Math.max(0, (val === null ? 0 : ver) + off);
  switch (kind) {
    case 'get':
      return { kind };
    case 'cas':
      return { kind, ver: expected, val: word, onto: null };
    case 'append version':
      return { kind: 'append', ver: expected, val: word };
    case 'delete version':
      return { kind: 'delete', ver: Math.max(1, expected) };
    case 'delete':
      return { kind };
    default:
      return { kind, val: word };
  }
}

/** Numbers of which none is a sum of others. */
function inNumbers(request: Request): Request {
  if (!('val' in request)) return request;
  const index = Number(request.val.slice(1));
  if (request.kind !== 'append') return { ...request, val: String((index + 1) * 1_000_000) };
  return { ...request, kind: 'add', val: String(1_000 + index) };
}

/** Gives each event its number: an invocation before a response of the same moment. */
function numbered(
  all: readonly { readonly moments: Moments; readonly request: Request; readonly outcome: ClientOutcome | undefined }[],
): RecordedOperation[] {
  const events = all.flatMap(({ moments }, index) => [
    { index, atMs: moments.invoked, isReturn: false },
    { index, atMs: moments.returned, isReturn: true },
  ]);
  events.sort((a, b) => a.atMs - b.atMs || Number(a.isReturn) - Number(b.isReturn));
  const numberOf = (index: number, isReturn: boolean): number =>
    1 + events.findIndex((event) => event.index === index && event.isReturn === isReturn);
  return all.map(({ moments, request, outcome }, index) => {
    const operation = { client: `c${index}`, key: 'k', request, invokedAt: numberOf(index, false), invokedAtMs: moments.invoked };
    return outcome ? { ...operation, returned: { at: numberOf(index, true), atMs: moments.returned, outcome } } : operation;
  });
}
