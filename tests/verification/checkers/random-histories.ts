import fc from 'fast-check';
import type { RecordedOperation, ClientOutcome, Request } from '../../../verification/checkers/history.js';

/** When things happen; of two that happen at once, the order is that of the list. */
interface Moments {
  readonly invoked: number;
  readonly returned: number;
}

const moments = fc
  .record({ invoked: fc.nat(12), lasts: fc.nat(6) })
  .map(({ invoked, lasts }): Moments => ({ invoked, returned: invoked + lasts }));

/** Answers at random: few of these histories are linearizable. */
export const anyHistory = fc
  .array(
    fc.record({
      moments,
      request: fc.oneof(
        fc.constant({ kind: 'get' } as const),
        fc.record({ kind: fc.constant('cas' as const), ver: fc.nat(2), val: fc.constantFrom('a', 'b', 'c'), onto: fc.constant(null) }),
      ),
      outcome: fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({ kind: fc.constant('state' as const), ver: fc.nat(3), val: fc.constantFrom('a', 'b', 'c', null) }),
        },
        { weight: 3, arbitrary: fc.constant({ kind: 'written' } as const) },
        { weight: 1, arbitrary: fc.constant({ kind: 'refused' } as const) },
        { weight: 3, arbitrary: fc.constant({ kind: 'unknown' } as const) },
        { weight: 1, arbitrary: fc.constant(undefined) },
      ),
    }),
    { maxLength: 6 },
  )
  .map(numbered);

/** What a client asks, when it takes effect, and what becomes of the answer. */
const step = fc.record({
  moments,
  /** Between the two moments; where the outcome is open, a write may take effect later. */
  effect: fc.double({ min: 0, max: 1, noNaN: true }),
  laterBy: fc.nat(8),
  isWrite: fc.boolean(),
  /** What a write expects, from the present version. */
  off: fc.constantFrom(0, 0, 0, 0, 1, -1),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'unknown', 'never answered', 'lost', 'refused'),
});

/** What a register answered, so that all are linearizable. */
export const trueHistory = stepsOf(1, 7).map(played);

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
export const bentHistory = fc
  .record({
    steps: stepsOf(3, 7),
    at: fc.nat(),
    other: fc.nat(),
    up: fc.boolean(),
    how: fc.constantFrom(...(['answer', 'version', 'later', 'earlier'] as const)),
  })
  .map(({ steps, at, other, up, how }): RecordedOperation[] => {
    const operations = played(steps);
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
        if (outcome.kind === 'state')
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

function stepsOf(minLength: number, maxLength: number): fc.Arbitrary<Step[]> {
  return fc.array(step, { minLength, maxLength, size: 'max' });
}

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Lets each step happen to a register at the moment of its effect. */
function played(all: readonly Step[]): RecordedOperation[] {
  let state: { readonly ver: number; readonly val: string | null } = { ver: 0, val: null };
  const steps = all.map((each, index) => {
    const { invoked, returned } = each.moments;
    const isOpen = each.fate === 'unknown' || each.fate === 'never answered';
    return { ...each, index, at: invoked + each.effect * (returned - invoked) + (isOpen ? each.laterBy : 0) };
  });
  const happened = new Map<number, { request: Request; outcome: ClientOutcome | undefined }>();
  for (const { index, isWrite, off, fate } of steps.sort((a, b) => a.at - b.at)) {
    const seen = { kind: 'state', ...state } as const;
    let request: Request = { kind: 'get' };
    let outcome: ClientOutcome = seen;
    if (isWrite) {
      request = { kind: 'cas', ver: Math.max(0, state.ver + off), val: `v${index}`, onto: null };
      const applies = request.ver === state.ver && fate !== 'lost' && fate !== 'refused';
      if (applies) state = { ver: state.ver + 1, val: request.val };
      outcome = applies ? { kind: 'written' } : request.ver === state.ver ? { kind: fate === 'lost' ? 'unknown' : 'refused' } : seen;
    }
    if (fate === 'refused' || fate === 'unknown') outcome = { kind: fate };
    happened.set(index, { request, outcome: fate === 'never answered' ? undefined : outcome });
  }
  return numbered(
    all.map(({ moments }, index) => ({ moments, ...(happened.get(index) as { request: Request; outcome: ClientOutcome | undefined }) })),
  );
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
