import { describe, expect, it } from 'vitest';
import { noCounts } from '../../client/funnel.js';
import { Ledger, type WriteOutcome } from '../../client/ledger.js';
import { Proposers } from '../../client/proposers.js';
import { ASK_AGAIN_PAUSE_MS, Writer } from '../../client/writer.js';
import { type Answer, NetworkError, type Repeatable } from '../../src/http/client.js';
import { type ErrorCode, HTTP_STATUS } from '../../src/http/status.js';
import type { Versioned } from '../../src/store/versioned.js';

/** It tells what it is told. */
class OpenLedger extends Ledger {
  readonly settled: WriteOutcome[] = [];

  override sends(key: string): (outcome: WriteOutcome) => void {
    const settle = super.sends(key);
    return (outcome) => {
      this.settled.push(outcome);
      settle(outcome);
    };
  }
}

const done: Answer<Versioned> = { ok: true, status: 200, body: { ver: 7, val: 3 } };
const refused = (code: ErrorCode, more: Record<string, unknown> = {}): Answer<Versioned> => ({
  ok: false,
  status: HTTP_STATUS[code],
  code,
  message: 'as the test wants it',
  body: more,
});
const silence = new NetworkError('nobody there');

/**
 * What becomes of one write of the key `a` that is met with these answers, one after the other. It is given up when they are used up: nobody waits for another one.
 * @param since what the client knows the key to have had
 */
async function written(
  answers: readonly (Answer<Versioned> | Error)[],
  { since, isNamed = true }: { since?: number; isNamed?: boolean } = {},
) {
  const pausesMs: number[] = [];
  let nowMs = 0;
  const time = {
    nowMs: () => nowMs,
    after: (delayMs: number, fire: () => void) => {
      pausesMs.push(delayMs);
      nowMs += delayMs;
      queueMicrotask(fire);
      return () => undefined;
    },
  };
  const proposers = new Proposers(['proposer-1:8080'], () => 'localhost:1', time);
  const proposer = proposers.choose(0, 'a');
  if (!proposer) throw new Error('there is one');
  const [ledger, counts, notes] = [new OpenLedger(['a']), noCounts(), [] as string[]];
  const sent: (Repeatable | undefined)[] = [];
  const giveUp = new AbortController();
  const left = [...answers];
  const writer = new Writer({
    ...{ proposers, ledger, counts, time, random: () => 0, note: (kind) => notes.push(kind) },
    nextName: isNamed ? () => 'name-1' : undefined,
  });
  const send = (_client: unknown, repeatable?: Repeatable): Promise<Answer<Versioned>> => {
    const next = left.shift();
    if (left.length === 0) giveUp.abort();
    sent.push(repeatable);
    if (next === undefined) throw new Error('it was sent more often than there are answers');
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  const answer = await writer.write('a', proposer, send, since, giveUp.signal);
  return { answer, sent, pausesMs, notes, ledger, counts, unasked: left };
}

/** What a refusal says of a write that was sent once. */
const OF_ONE_SENDING: Readonly<Record<ErrorCode, WriteOutcome>> = {
  BadRequest: 'refused',
  Unauthorized: 'unknown',
  NotFound: 'refused',
  KeyNotFound: 'refused',
  MethodNotAllowed: 'refused',
  RequestTimeout: 'unknown',
  ChangeRefused: 'refused',
  VersionMismatch: 'refused',
  EraMismatch: 'unknown',
  OutcomeForgotten: 'refused',
  PayloadTooLarge: 'refused',
  NameReused: 'refused',
  HeadersTooLarge: 'unknown',
  InternalError: 'unknown',
  StorageError: 'unknown',
  ConcurrentRequestError: 'refused',
  NotConfigured: 'refused',
  OldState: 'refused',
  PrepareError: 'refused',
  StaleConfiguration: 'refused',
  StoreClosed: 'unknown',
  CommitError: 'unknown',
  StorageFull: 'refused',
};
const CODES = Object.entries(OF_ONE_SENDING) as [ErrorCode, WriteOutcome][];

describe('a write without a name', () => {
  it.each(CODES)('that is answered with %s is %s, and sent once', async (code, outcome) => {
    const { answer, sent, ledger } = await written([refused(code), done], { isNamed: false });
    expect([answer, sent, ledger.settled]).toEqual([refused(code), [undefined], [outcome]]);
  });

  it('that is confirmed is acknowledged', async () => {
    expect((await written([done], { isNamed: false })).ledger.settled).toEqual(['acknowledged']);
  });
});

describe('a write with a name', () => {
  it.each(CODES.filter(([, outcome]) => outcome === 'refused'))(
    'that was sent once and is answered with %s is not applied',
    async (code) => {
      const { answer, sent, ledger, pausesMs } = await written([refused(code), done]);
      expect([answer, ledger.settled, pausesMs]).toEqual([refused(code), ['refused'], []]);
      expect(sent).toEqual([{ name: 'name-1' }]);
    },
  );

  it.each(CODES.filter(([, outcome]) => outcome === 'unknown'))('that is answered with %s is sent again under it', async (code) => {
    const { answer, sent, ledger } = await written([refused(code), done], { since: 4 });
    expect([answer, ledger.settled, ledger.version('a')]).toEqual([done, ['acknowledged'], 7]);
    expect(sent).toEqual([
      { name: 'name-1', since: 4 },
      { name: 'name-1', since: 4 },
    ]);
  });

  it.each(CODES)('whose first answer was lost: the repetition is answered with %s', async (code) => {
    const { answer, ledger, notes, unasked } = await written([silence, refused(code), done]);
    if (code === 'ChangeRefused' || code === 'VersionMismatch') {
      expect([answer, ledger.settled, unasked]).toEqual([refused(code), ['refused'], [done]]);
    } else if (code === 'OutcomeForgotten') {
      // Nobody will ever know.
      expect([answer, ledger.settled, unasked]).toEqual([refused(code), [], [done]]);
    } else {
      expect([answer, ledger.settled, unasked]).toEqual([done, ['acknowledged'], []]);
      const isContention = ['PrepareError', 'ConcurrentRequestError', 'CommitError'].includes(code);
      expect(notes).toEqual(isContention ? ['silence'] : ['silence', code]);
    }
  });

  it('is asked for at once the second time, and then after a pause each', async () => {
    const { pausesMs } = await written([refused('CommitError'), refused('CommitError'), refused('PrepareError'), done]);
    expect(pausesMs).toEqual([ASK_AGAIN_PAUSE_MS, ASK_AGAIN_PAUSE_MS]);
  });

  it('tells the last answer if it is given up, and stays unknown', async () => {
    const { answer, ledger } = await written([refused('CommitError'), refused('PrepareError')]);
    expect([answer, ledger.settled, ledger.tallies()[0]?.unknown]).toEqual([refused('PrepareError'), [], 1]);
  });

  it('that nobody answers is counted and noted as such, and has no answer', async () => {
    const { answer, ledger, counts, notes } = await written([silence]);
    expect([answer, ledger.settled, notes, counts.networkErrors]).toEqual([undefined, [], ['silence'], 1]);
  });

  it('lets any other error through: it is one of the program', async () => {
    await expect(written([new TypeError('a slip')])).rejects.toThrow('a slip');
  });
});

describe('a write whose key tells of too few versions', () => {
  it('begins anew from the version that the refusal tells, as often as it is told a higher one', async () => {
    const { answer, sent, pausesMs, ledger } = await written(
      [refused('OutcomeForgotten', { since: 50 }), refused('OutcomeForgotten', { since: 90 }), done],
      { since: 4 },
    );
    expect(sent.map((repeatable) => repeatable?.since)).toEqual([4, 50, 90]);
    expect([answer, pausesMs, ledger.settled]).toEqual([done, [], ['acknowledged']]);
  });

  it.each([{ since: 4 }, { since: 3 }, { since: '50' }, {}])('is refused where it is told %j, which does not help', async (told) => {
    const { sent, ledger } = await written([refused('OutcomeForgotten', told), done], { since: 4 });
    expect([sent.length, ledger.settled]).toEqual([1, ['refused']]);
  });

  it('is refused where it expects a version, which says more than that', async () => {
    const { sent, ledger } = await written([refused('OutcomeForgotten', { since: 50 }), done]);
    expect([sent.length, ledger.settled]).toEqual([1, ['refused']]);
  });

  it('takes such a version from no other refusal', async () => {
    const { sent, ledger } = await written([refused('VersionMismatch', { since: 50 }), done], { since: 4 });
    expect([sent.length, ledger.settled]).toEqual([1, ['refused']]);
  });

  it('is not sent anew once it is given up', async () => {
    const { answer, sent, ledger } = await written([refused('OutcomeForgotten', { since: 50 })], { since: 4 });
    expect([answer, sent.length, ledger.settled]).toEqual([refused('OutcomeForgotten', { since: 50 }), 1, ['refused']]);
  });

  it('once its first answer was lost, is not begun anew: that one may have been applied', async () => {
    const { sent, ledger } = await written([silence, refused('OutcomeForgotten', { since: 50 }), done], { since: 4 });
    expect([sent.map((repeatable) => repeatable?.since), ledger.settled]).toEqual([[4, 4], []]);
  });

  it('repeats with the version that it was last sent with, where that answer is lost', async () => {
    const { sent, ledger } = await written([refused('OutcomeForgotten', { since: 50 }), silence, done], { since: 4 });
    expect([sent.map((repeatable) => repeatable?.since), ledger.settled]).toEqual([[4, 50, 50], ['acknowledged']]);
  });
});
