import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Next } from '../../../../node-control/commands/next-steps.js';
import { Narrator } from '../../../../node-control/page/server/narrator.js';
import { Observer } from '../../../../node-control/page/server/observer.js';
import type { Snapshot } from '../../../../node-control/page/server/snapshot.js';
import { VirtualTime } from '../../../../verification/simulation/virtual-time.js';
import type { Configuration } from '../../../../src/protocol/configuration.js';
import type { FunnelLine } from '../../../../src/http/funnel-stream.js';
import type { PrometheusMetric } from '../../../../src/http/client.js';
import type { QuorumSet } from '../../../../src/protocol/quorum.js';
import { WatchedNodes } from './watched-nodes.js';

const A1 = 'acceptor-1:6379';
const A2 = 'acceptor-2:6379';
const A3 = 'acceptor-3:6379';
const IDENTITIES = { [A1]: 'first', [A2]: 'second' };
const configuration = (accept: QuorumSet): Configuration => ({
  ...{ era: 1, prepare: { nodes: [A1], quorum: 1 }, accept },
  identities: Object.fromEntries(Object.entries(IDENTITIES).filter(([name]) => accept.nodes.includes(name))),
});
const ONE = configuration({ nodes: [A1], quorum: 1 });
const TWO = configuration({ nodes: [A1, A2], quorum: 2 });

const LINE: FunnelLine = { second: 1, columns: [1, 2].map((reads) => ({ readAttempts: 5, reads, writes: 1, networkErrors: 0 })) };

let time: VirtualTime;
let nodes: WatchedNodes;
let observer: Observer;
/** Of the client that runs. */
let client: { readonly print: (line: FunnelLine) => void; readonly end: () => void } | undefined;
let followed: number;
/** How often the next steps were asked for. */
let advised: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  time = new VirtualTime();
  followed = 0;
  nodes = new WatchedNodes({ 'proposer-1': { configuration: ONE } }, { [A1]: { identity: 'first', keys: 9 }, [A2]: {}, [A3]: {} });
  advised = 0;
  const advise = async (): Promise<Next | undefined> => {
    advised += 1;
    return { why: 'Next', steps: [{ verb: 'resize', acceptors: [A1, A2, A3] }] };
  };
  const follow = (print: (line: FunnelLine) => void): Promise<void> => {
    followed += 1;
    return new Promise((end) => (client = { print, end }));
  };
  observer = new Observer(nodes.nodes, time, follow, undefined, new Narrator(nodes.nodes, time, advise), () => Promise.resolve(true));
  void observer.followClients();
});
afterEach(() => void vi.useRealTimers());

/** Time passes, on both clocks. */
async function later(ms: number): Promise<void> {
  await time.settle();
  for (let passed = 0; passed < ms; passed += 100) {
    const part = Math.min(100, ms - passed);
    vi.setSystemTime(Date.now() + part);
    await time.advance(part);
  }
}

/** The metrics of a proposer. */
const metrics = (counts: Partial<Record<'read' | 'rescan', number>>): PrometheusMetric[] => [
  {
    name: 'caspaxos_operations_total',
    values: Object.entries(counts).map(([operation, value]) => ({ value, labels: { operation, outcome: 'ok' } })),
  },
];

/** A page that is open: what it was sent. */
function open(): { readonly seen: Snapshot[]; readonly last: () => Snapshot; readonly close: () => void } {
  const seen: Snapshot[] = [];
  const close = observer.watch((snapshot) => seen.push(snapshot));
  const last = (): Snapshot => {
    const snapshot = seen.at(-1);
    if (!snapshot) throw new Error('nothing was shown');
    return snapshot;
  };
  return { seen, last, close };
}

describe('the nodes', () => {
  it('are asked once a second for all pages, and not at all while none is open', async () => {
    await later(5_000);
    expect(nodes.asked).toBe(0);
    const pages = [open(), open(), open()];
    await later(2_500);
    expect(nodes.asked).toBe(3 * 4);
    expect(pages.map(({ seen }) => seen.length)).toEqual([3, 3, 3]);
    for (const page of pages) page.close();
    await later(5_000);
    expect(nodes.asked).toBe(3 * 4);
    expect(time.pending).toBe(0);
    expect(nodes.open).toBe(1); // to the proposer: it is kept
  });

  it('are shown first as soon as all have answered once: no clock is waited for', async () => {
    const page = open();
    await time.settle();
    expect([nodes.asked, page.seen.length]).toEqual([4, 1]);
    expect(page.last()).toMatchObject({ isFirst: true, acceptors: [{ keys: 9 }, {}, {}] });
  });

  it('are shown 300 ms later at most, where one does not answer', async () => {
    let answer = (): void => undefined;
    const hung = new Promise<void>((resolve) => (answer = resolve));
    const { connections, ...names } = nodes.nodes;
    const hanging: typeof connections = {
      proposer: (name) => connections.proposer(name),
      acceptor: (name) =>
        name === A2 ? Object.assign(connections.acceptor(name), { connectUnlessLoading: () => hung }) : connections.acceptor(name),
    };
    const narrator = new Narrator(nodes.nodes, time, () => Promise.resolve(undefined));
    const listens = (address: string): Promise<boolean> => Promise.resolve(address === A2);
    observer = new Observer({ ...names, connections: hanging }, time, () => new Promise(() => undefined), undefined, narrator, listens);
    const page = open();
    await later(299);
    expect(page.seen).toHaveLength(0);
    await later(1);
    expect(page.last().acceptors).toEqual([
      { name: A1, state: 'healthy', keys: 9 },
      { name: A2, state: 'slow', keys: undefined },
      { name: A3, state: 'healthy', keys: 0 },
    ]);
    await later(2_000);
    expect(page.last().acceptors[1]?.state).toBe('hangs');
    answer();
    await later(1_000);
    expect(page.last().acceptors[1]?.state).toBe('healthy');
  });

  it('that are gone keep their sets, not their keys', async () => {
    const page = open();
    await later(100);
    Object.assign(nodes.proposers['proposer-1'] ?? {}, { isGone: true });
    Object.assign(nodes.acceptors[A1] ?? {}, { isGone: true });
    await later(1_000);
    expect(page.last()).toMatchObject({
      proposers: [{ state: 'gone', sets: { accept: ONE.accept }, rates: undefined }],
      acceptors: [{ state: 'gone', keys: undefined }, { state: 'healthy' }, { state: 'healthy' }],
      narration: { now: expect.stringContaining('what clients are served is not known') as string },
    });
  });

  it('are told as held where it is known that they are, with why and what to do', async () => {
    const notes = new Map([[A1, ['This acceptor is HELD.', 'Its disk counts as lost.']]]);
    observer = new Observer(
      { ...nodes.nodes, heldNotes: (name) => Promise.resolve(notes.get(name)) },
      time,
      () => new Promise(() => undefined),
    );
    const page = open();
    await later(100);
    expect(page.last().acceptors[0]).toMatchObject({ state: 'healthy', remark: undefined });
    Object.assign(nodes.acceptors[A1] ?? {}, { isGone: true });
    await later(1_000);
    expect(page.last().acceptors[0]).toEqual({ name: A1, state: 'held', remark: 'This acceptor is HELD. Its disk counts as lost.' });
    expect(page.last().marks.map(({ kind, text }) => [kind, text])).toEqual([['loss', 'acceptor-1 is held']]);
    expect(page.last().narration.now).toContain('does not serve without acceptor-1');
    Object.assign(nodes.acceptors[A1] ?? {}, { isGone: false });
    await later(1_000);
    expect(page.last().acceptors[0]?.state).toBe('healthy');
  });

  it('are told as loading where they say that they still read their file, and nobody is told to start them', async () => {
    const page = open();
    await later(100);
    Object.assign(nodes.acceptors[A1] ?? {}, { isLoading: true });
    await later(1_000);
    const remark = 'it still reads its file, and takes part as soon as it has read all of it';
    expect(page.last().acceptors[0]).toEqual({ name: A1, state: 'loading', remark });
    expect(page.last().marks.map(({ kind, text }) => [kind, text])).toEqual([['loss', 'acceptor-1 is loading']]);
    expect(page.last().narration.now).toContain('does not serve without acceptor-1');
    expect(page.last().narration.commands).not.toContain('./fault.sh start acceptor-1');
    Object.assign(nodes.acceptors[A1] ?? {}, { isLoading: false });
    await later(1_000);
    expect(page.last().acceptors[0]?.state).toBe('healthy');
    expect(page.last().marks.at(-1)?.text).toBe('acceptor-1 is back');
  });

  it('are told of in words', async () => {
    const page = open();
    await later(1_100);
    const now = 'Prepare 1 of 1, accept 1 of 1: serves while acceptor-1 does.';
    expect(page.last().narration).toEqual({ now, next: 'Next', commands: [`./run-control.sh resize ${A1},${A2},${A3}`] });
    Object.assign(nodes.acceptors[A1] ?? {}, { isGone: true });
    await later(1_000);
    expect(page.last().narration.now).toContain('does not serve without acceptor-1');
    expect(page.last().narration.commands).toEqual(['./fault.sh start acceptor-1']);
  });

  it('are told what to type by the control node, which is asked when they change, and else every ten seconds', async () => {
    const page = open();
    await later(9_900);
    expect(advised).toBe(1);
    await later(1_000);
    expect(advised).toBe(2);
    nodes.proposers['proposer-1'] = { configuration: TWO };
    nodes.acceptors[A2] = { identity: 'second' };
    await later(1_000);
    expect(page.last().narration.commands).toEqual([]); // what was told of the sets before is told no more
    await later(1_000);
    expect(page.last().narration.commands).toHaveLength(1);
    expect(advised).toBe(3);
  });

  it('are told what they did between the last two looks, unless they are gone', async () => {
    nodes.proposers['proposer-1'] = { configuration: ONE, metrics: metrics({ read: 50 }) };
    const page = open();
    await later(100);
    expect(page.last().proposers[0]).toHaveProperty('rates', undefined);
    const looked = async (reads: number): Promise<number | undefined> => {
      Object.assign(nodes.proposers['proposer-1'] ?? {}, { metrics: metrics({ read: reads }) });
      await later(1_000);
      return page.last().proposers[0]?.rates?.reads;
    };
    expect([await looked(80), await looked(100)]).toEqual([30, 20]);
    // As long as it is only slow, what it last did is shown.
    let answer = (): void => undefined;
    nodes.delay = new Promise((resolve) => (answer = resolve));
    await looked(150);
    await later(1_300);
    expect(page.last().proposers[0]).toMatchObject({ state: 'slow', rates: { reads: 20 } });
    answer();
    nodes.delay = Promise.resolve();
    await later(1_000);
    Object.assign(nodes.proposers['proposer-1'] ?? {}, { isGone: true });
    expect(await looked(200)).toBeUndefined();
  });

  it('that were refused an answer are gone', async () => {
    nodes.proposers['proposer-1'] = {};
    const page = open();
    await later(100);
    expect(page.last().proposers).toMatchObject([{ state: 'gone', sets: undefined }]);
  });
});

describe('an acceptor with another identity than the configuration has', () => {
  it('is a stranger', async () => {
    nodes.acceptors[A1] = { identity: 'another' };
    const page = open();
    await later(1_100);
    expect(page.last().acceptors[0]?.state).toBe('stranger');
    expect(page.last().narration.now).toContain('does not serve without acceptor-1');
  });

  it('is none where it answered before it joined', async () => {
    const page = open();
    await later(100);
    // Asked at the same time: the acceptor a moment before it was given its identity, the proposer a moment after.
    nodes.proposers['proposer-1'] = { configuration: TWO };
    await later(1_000);
    expect(page.last().acceptors[1]?.state).toBe('healthy');
    nodes.acceptors[A2] = { identity: 'second' };
    await later(1_000);
    expect(page.seen.flatMap(({ acceptors }) => acceptors.map(({ state }) => state))).not.toContain('stranger');
  });
});

describe('an acceptor that could forget what it is told', () => {
  it('is unfit, with the reason, and counts as lost', async () => {
    nodes.acceptors[A1] = { identity: 'first', keys: 9, flaws: ['appendonly'] };
    const page = open();
    await later(1_100);
    expect(page.last().acceptors[0]).toMatchObject({ state: 'unfit', keys: 9, remark: expect.stringContaining('appendonly') as string });
    expect(page.last().narration.now).toContain('does not serve without acceptor-1');
    nodes.acceptors[A1] = { identity: 'first', keys: 9, memoryUsed: 0.5 };
    await later(1_000);
    expect(page.last().acceptors[0]).toEqual({ name: A1, state: 'healthy', keys: 9 });
    nodes.acceptors[A1] = { identity: 'first', keys: 9, memoryUsed: 0.8 };
    await later(1_000);
    expect(page.last().acceptors[0]).toMatchObject({ state: 'healthy', remark: expect.stringContaining('80% full') as string });
    expect(page.last().marks.map(({ text }) => text)).toEqual(['acceptor-1 is back']);
  });

  it('is a stranger where it is both', async () => {
    nodes.acceptors[A1] = { identity: 'another', flaws: ['appendonly'] };
    const page = open();
    await later(1_100);
    expect(page.last().acceptors[0]?.state).toBe('stranger');
  });
});

describe('what happened', () => {
  it('is marked', async () => {
    const page = open();
    await later(100);
    nodes.proposers['proposer-1'] = { configuration: TWO, history: [{ atMs: Date.now(), configuration: ONE }] };
    nodes.acceptors[A2] = { identity: 'second' };
    await later(1_000);
    expect(page.last().marks).toMatchObject([{ kind: 'step', text: 'accept: 2 of acceptors 1 and 2' }]);
  });

  it('while no page was open is not taken for what happens now', async () => {
    nodes.proposers['proposer-1'] = { configuration: ONE, metrics: metrics({ rescan: 0 }) };
    const before = open();
    await later(100);
    before.close();
    await later(60_000);
    nodes.proposers['proposer-1'] = { configuration: TWO, metrics: metrics({ rescan: 50 }) };
    nodes.acceptors[A2] = { identity: 'second' };
    const page = open();
    await later(1_100);
    expect(new Set(page.seen.flatMap(({ marks }) => marks.map(({ kind, text }) => `${kind}: ${text}`)))).toEqual(
      new Set(['unseen: no page was open for 60 s']),
    );
    nodes.proposers['proposer-1'] = { configuration: TWO, metrics: metrics({ rescan: 51 }) };
    await later(1_000);
    expect(page.last().marks).toMatchObject([{ kind: 'unseen' }, { kind: 'rescan' }]);
  });
});

describe("the clients' funnel", () => {
  it('is shown second by second, all clients together', async () => {
    const page = open();
    await later(100);
    client?.print(LINE);
    await later(1_000);
    expect(page.last().funnel).toMatchObject([{ attempts: 10, reads: 3, writes: 2, errors: 0 }]);
    await later(1_000);
    expect(page.last().funnel).toEqual([]);
  });

  it('is given once to a page that is opened later, as far as it is known', async () => {
    open();
    await later(100);
    client?.print(LINE);
    await later(1_000);
    const page = open();
    client?.print(LINE);
    await later(1_000);
    expect(page.seen.map(({ funnel }) => funnel.length)).toEqual([1, 1]);
  });

  it('is given to a page that is opened after a while without one', async () => {
    const before = open();
    await later(100);
    client?.print(LINE);
    await later(1_000);
    before.close();
    await later(10_000);
    client?.print(LINE); // nobody looks
    const page = open();
    await later(1_100);
    expect(page.seen.map(({ funnel }) => funnel.length)).toEqual([2, 0]);
  });

  it('is there for the first page, too', async () => {
    client?.print(LINE);
    await later(2_000);
    const page = open();
    await later(100);
    expect(page.last()).toMatchObject({ isClientRunning: true, funnel: [{ attempts: 10 }] });
  });

  it('is forgotten after two minutes', async () => {
    open();
    await later(100);
    client?.print(LINE);
    await later(120_000);
    const early = open();
    expect(early.last().funnel).toHaveLength(1);
    await later(2_000);
    const late = open();
    expect(late.last().funnel).toHaveLength(0);
  });

  it('is none of a time that is still to come: the clock was put back', async () => {
    open();
    await later(100);
    client?.print(LINE);
    await later(1_000);
    vi.setSystemTime(Date.now() - 3 * 3_600_000);
    client?.print(LINE);
    await later(1_000);
    expect(open().last().funnel).toHaveLength(1);
  });

  it('is followed again where the client ended and another one runs', async () => {
    const page = open();
    await later(1_000);
    expect(followed).toBe(1);
    // Until it says something, nobody knows whether one is there.
    expect(page.last().isClientRunning).toBe(false);
    client?.print(LINE);
    await later(1_000);
    expect(page.last().isClientRunning).toBe(true);
    client?.end();
    await time.settle();
    const rest = page.seen.length;
    await later(1_000);
    expect(page.seen.slice(rest).map(({ isClientRunning }) => isClientRunning)).toEqual([false]);
    await later(1_000);
    expect(followed).toBe(2);
    client?.print(LINE);
    await later(1_000);
    expect(page.last().funnel).toHaveLength(1);
  });
});
