import { describe, expect, it } from 'vitest';
import { tell } from '../../../../node-control/page/server/twin-telling.js';
import type { WatchedKey, WatchedMessage, WatchedRound } from '../../../../src/http/watched-key.js';

const NODES = ['acceptor-1:6379', 'acceptor-2:6379', 'acceptor-3:6379'];
const SETS = { prepare: { nodes: NODES, quorum: 2 }, accept: { nodes: NODES, quorum: 2 } };

function message(phase: WatchedMessage['phase'], number: number, sentAtMs: number, rest: Partial<WatchedMessage> = {}): WatchedMessage {
  return { phase, acceptor: NODES[number - 1] ?? '', sentAtMs, ...rest };
}

function seen(proposer: number, ...rounds: Partial<WatchedRound>[]): WatchedKey {
  return {
    proposer,
    key: 'k',
    endsInMs: 1,
    rounds: rounds.map((round) => ({ ballot: `1.1.${proposer}.0`, ...SETS, messages: [], ...round })),
  };
}

describe('the rounds of a key are told', () => {
  it('in the order of their moments, whichever proposer they are of', () => {
    const first = seen(1, { messages: [message('prepare', 1, 10, { tookMs: 5, outcome: 'ok', ballot: '' })] });
    const second = seen(2, { messages: [message('prepare', 1, 12, { tookMs: 1, outcome: 'conflict', ballot: '1.1.1.0' })] });
    expect(tell([second, first], NODES).map(({ from, to, label }) => `${from} ${to} ${label}`)).toEqual([
      'p1 a1 prepare',
      'p2 a1 prepare',
      'a1 p2 refused',
      'a1 p1 promised',
    ]);
  });

  it('with what decided each phase, and who came after that', () => {
    const messages = [
      message('prepare', 1, 0, { tookMs: 9, outcome: 'ok', ballot: '1.0.2.0', value: { version: 3, text: '"old"' } }),
      message('prepare', 2, 0, { tookMs: 1, outcome: 'ok', ballot: '' }),
      message('prepare', 3, 0, { tookMs: 20, outcome: 'ok', ballot: '' }),
    ];
    const replies = tell([seen(1, { messages })], NODES).filter(({ isReply }) => isReply);
    expect(replies.map(({ from, decision, isLate }) => [from, decision, isLate])).toEqual([
      ['a2', undefined, undefined],
      ['a1', '1.1.1: acceptor-2 and acceptor-1 are a prepare quorum, 2 of 3. The latest that they hold: "old", version 3', undefined],
      ['a3', undefined, true],
    ]);
  });

  it('with why there can be no quorum', () => {
    const refused = message('accept', 1, 0, { tookMs: 1, outcome: 'conflict', ballot: '1.7.2.0' });
    const silent = message('accept', 2, 0, { tookMs: 300, outcome: 'failed', reason: 'slow or stopped' });
    expect(tell([seen(1, { messages: [refused, silent] })], NODES).at(-1)).toMatchObject({
      label: 'no answer',
      text: 'no answer: slow or stopped, after 300.0 ms',
      decision: '1.1.1: no accept quorum, 1.7.2 stands in the way',
    });
    const alone = [silent, message('accept', 3, 0, { tookMs: 301, outcome: 'failed', reason: 'gone' })];
    expect(tell([seen(1, { messages: alone })], NODES).at(-1)?.decision).toBe('1.1.1: no accept quorum, too few answer');
  });

  it('with what an acceptor holds, which never goes back: an answer that was long under way tells of earlier', () => {
    const long = seen(1, { messages: [message('prepare', 1, 0, { tookMs: 50, outcome: 'ok', ballot: '' })] });
    const value = { version: 1, text: '"new"' };
    const quick = seen(2, {
      ballot: '1.2.2.0',
      next: '1.3.2.0',
      value,
      messages: [message('accept', 1, 10, { tookMs: 1, outcome: 'ok' })],
    });
    const holds = { promise: '1.3.2.0', ballot: '1.2.2.0', proposer: 2, held: '"new", version 1' };
    expect(tell([long, quick], NODES).flatMap(({ holds: told }) => told ?? [])).toEqual([holds, holds]);
  });

  it('and not all of them, where there are many: the last ones', () => {
    const rounds = Array.from({ length: 60 }, (_, at) => ({ ballot: `1.${at + 1}.1.0`, messages: [message('prepare', 1, at)] }));
    const moments = tell([seen(1, ...rounds)], NODES);
    expect(moments).toHaveLength(32);
    expect(moments.at(-1)?.text).toBe('prepare 1.60.1');
  });
});
