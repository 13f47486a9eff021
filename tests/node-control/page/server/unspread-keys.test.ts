import { beforeEach, describe, expect, it } from 'vitest';
import type { WatchedConnections } from '../../../../node-control/nodes/connections.js';
import type { AcceptorView } from '../../../../node-control/page/server/snapshot.js';
import { UnspreadKeys } from '../../../../node-control/page/server/unspread-keys.js';
import type { Configuration } from '../../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../../src/protocol/quorum.js';
import { VirtualTime } from '../../../../verification/simulation/virtual-time.js';

const A1 = 'acceptor-1:6379';
const A2 = 'acceptor-2:6379';
const A3 = 'acceptor-3:6379';
const IDENTITIES: Record<string, string> = { [A1]: `${A1}#1`, [A2]: `${A2}#2`, [A3]: `${A3}#3` };
const of = (quorum: number, ...nodes: string[]): QuorumSet => ({ nodes, quorum });
const identified = ({ nodes, quorum }: QuorumSet): QuorumSet => ({ nodes: nodes.map((name) => IDENTITIES[name] ?? name), quorum });
const configured = (prepare: QuorumSet, accept: QuorumSet, ...resting: QuorumSet[]): Configuration => ({
  ...{ era: 4, prepare, accept, identities: IDENTITIES },
  resting: [...resting, accept].map(identified),
});
/** A rescan is due: what was written before may be on acceptor-1 alone. */
const GROWING = configured(of(1, A1), of(2, A1, A2), of(1, A1));
const SHRINKING = configured(of(2, A1, A2), of(2, A1, A2), of(2, A1, A2, A3));
/** None is. */
const GROWN = configured(of(2, A1, A2), of(2, A1, A2, A3), of(2, A1, A2));

let time: VirtualTime;
let keys: UnspreadKeys;
/** By acceptor and key, the ballots. */
let held: Record<string, Record<string, string>>;
let opened: number;
let open: number;

beforeEach(() => {
  time = new VirtualTime();
  held = { [A1]: {}, [A2]: {}, [A3]: {} };
  opened = open = 0;
  const acceptor = (name: string) => {
    opened += 1;
    open += 1;
    return {
      connectUnlessLoading: () => Promise.resolve(),
      async *keys() {
        const all = Object.keys(held[name] ?? {});
        for (let at = 0; at < all.length; at += 300) yield all.slice(at, at + 300);
      },
      holdings: (asked: readonly string[]) => {
        if (asked.length > 1_000) throw new Error('too many');
        const ballots = asked.map((key) => held[name]?.[key]);
        return Promise.resolve(ballots.map((ballot) => (ballot === undefined ? '-' : `${ballot}:1`)));
      },
      close: () => void (open -= 1),
    };
  };
  keys = new UnspreadKeys({ acceptor } as unknown as WatchedConnections, time);
});

const views = (states: Partial<Record<string, AcceptorView['state']>> = {}): AcceptorView[] =>
  [A1, A2, A3].map((name) => ({ name, state: states[name] ?? 'healthy' }));

/** What the page says after some seconds. */
async function saidAfter(seconds: number, configurations = [GROWING], acceptors = views()): Promise<string | undefined> {
  const told = configurations.map((configuration, index) => ({ name: `proposer-${index + 1}`, configuration }));
  let text = keys.text(told, acceptors);
  for (let second = 0; second < seconds; second += 1) {
    await time.settle();
    await time.advance(1_000);
    text = keys.text(told, acceptors);
  }
  await time.settle();
  return text;
}

describe('keys whose newest value is on no accept quorum', () => {
  it('are named with the acceptors that have it, until it is on a quorum', async () => {
    held[A1] = { colour: '2.1.1.7', counter: '4.1.1.7' };
    held[A2] = { counter: '4.1.1.7' };
    expect(await saidAfter(3)).toBe('1 key is on acceptor-1 only: colour.');
    held[A2] = { ...held[A2], colour: '2.1.1.7' };
    expect(await saidAfter(3)).toBeUndefined();
    expect(open).toBe(0);
  });

  it('are those of an older value elsewhere, too; by numbers, not by letters', async () => {
    held[A1] = { colour: '2.10.1.7' };
    held[A2] = { colour: '2.9.1.7' };
    expect(await saidAfter(3)).toBe('1 key is on acceptor-1 only: colour.');
  });

  it('are looked for on those that left, too, while values may rest there', async () => {
    held[A3] = { both: '2.1.1.7', one: '2.1.1.7' };
    held[A2] = { both: '2.1.1.7' };
    expect(await saidAfter(3, [SHRINKING])).toBe('1 key is on acceptor-2 and acceptor-3 only: both. 1 key is on acceptor-3 only: one.');
  });

  it('are told as a number where they are many, and as a least one where not all were looked at', async () => {
    held[A1] = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`key-${index}`, '2.1.1.7']));
    expect(await saidAfter(3)).toBe('12 keys are on acceptor-1 only: key-0, key-1, key-10, key-11, key-2, ….');
    held[A1] = Object.fromEntries(Array.from({ length: 2_500 }, (_, index) => [`key-${index}`, '2.1.1.7']));
    expect(await saidAfter(30)).toBe('At least 1,000 keys are on acceptor-1 only: key-0, key-1, key-10, key-100, key-101, ….');
  });

  it('are not those that are being written: what is told was so in two looks', async () => {
    held[A1] = { busy: '4.1.1.7' };
    for (let counter = 2; counter < 10; counter += 1) {
      expect(await saidAfter(1)).toBeUndefined();
      held[A1] = { busy: `4.${counter}.1.7` };
    }
  });

  it('are not those that hold nothing but a promise', async () => {
    held[A1] = { promised: '' };
    expect(await saidAfter(4)).toBeUndefined();
  });

  it('are not told while an acceptor that may have them does not answer', async () => {
    held[A1] = { colour: '2.1.1.7' };
    expect(await saidAfter(4, [GROWING], views({ [A2]: 'gone' }))).toBeUndefined();
    expect(await saidAfter(4, [GROWING], views({ [A3]: 'gone' }))).toContain('colour');
  });

  it('cost nothing while no rescan is due, or the proposers differ', async () => {
    held[A1] = { colour: '2.1.1.7' };
    expect(await saidAfter(4, [GROWN])).toBeUndefined();
    expect(await saidAfter(4, [GROWN, GROWING])).toBeUndefined();
    expect(await saidAfter(4, [])).toBeUndefined();
    expect(opened).toBe(0);
  });

  it('are looked for every two seconds, and at once when the sets have changed', async () => {
    held[A1] = { colour: '2.1.1.7' };
    await saidAfter(4, [GROWING]);
    expect(opened).toBe(2 * 3);
    await saidAfter(1, [SHRINKING]);
    expect(opened).toBe(2 * 3 + 3);
  });
});
