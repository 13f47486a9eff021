import { describe, expect, it } from 'vitest';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import { someOrderExplains } from './orders.js';
import { told } from './told.js';

/** A title, which names where the history is from, and the history. */
const GOOD: readonly (readonly [string, string])[] = [
  ['nothing at all', ''],
  [
    'a write that nobody reads while it runs, and then everybody (Herlihy & Wing 1990, section 1.2: a register read and written in turn)',
    `A put 0 a
     A written
     B get
     B 1 a
     C get
     C 1 a`,
  ],
  [
    'two reads beside one write, the old value and then the new (Herlihy & Wing 1990, section 1.2: overlapping operations go in either order)',
    `A put 0 a
     B get
     B 0
     B get
     B 1 a
     A written`,
  ],
  [
    'a read that takes effect before a write which returned before it did (Herlihy & Wing 1990, section 1.2)',
    `B get
     A put 0 a
     A written
     B 0`,
  ],
  [
    'a write that is read before it returns, and never returns (Herlihy & Wing 1990, section 2.2: pending invocations are completed …)',
    `A put 0 a
     B get
     B 1 a`,
  ],
  [
    'a write that never returns and is never read (Herlihy & Wing 1990, section 2.2: … or left out)',
    `A put 0 a
     B get
     B 0`,
  ],
  [
    'reads beside a write that see the new and the old value, both under way at once (Porcupine, README, first example)',
    `A put 0 a
     B get
     C get
     C 0
     B 1 a
     A written`,
  ],
  [
    'two writes beside each other, of which the one invoked later comes first (Lowe 2017, on why a search must backtrack)',
    `A put 1 b
     B put 0 a
     B written
     A written`,
  ],
  [
    'a crashed write that takes effect long after its client gave up (Kingsbury 2014, Computational techniques in Knossos: crashed processes)',
    `A put 0 a
     A unknown
     B get
     B 0
     C get
     C 0
     B get
     B 1 a`,
  ],
  [
    'a crashed write whose version another one took (Kingsbury 2014, Computational techniques in Knossos: crashed processes)',
    `A put 0 a
     A unknown
     B put 0 b
     B written
     C get
     C 1 b`,
  ],
  [
    'a crashed write that nobody read, on which an acknowledged one stands (Kingsbury 2014, Jepsen: etcd and Consul, the compare-and-set register)',
    `A put 0 a
     A unknown
     B put 1 b
     B written`,
  ],
  [
    'crashed writes in a row that nobody read, given in the wrong order (Kingsbury 2014, Computational techniques in Knossos)',
    `A put 2 c
     B put 1 b
     C put 0 a
     D get
     D 3 c`,
  ],
  [
    'a crashed read, which means nothing (Kingsbury 2014, Computational techniques in Knossos)',
    `A put 0 a
     A written
     B get
     B unknown
     C get`,
  ],
  [
    'of many crashed writes of one version, the one that was read (Kingsbury 2014, Computational techniques in Knossos)',
    `A put 0 a
     A unknown
     B put 0 b
     B unknown
     C put 0 c
     C unknown
     D get
     D 1 b`,
  ],
  [
    'of two crashed writes that nobody read, the one invoked in time (Kingsbury 2014, Computational techniques in Knossos)',
    `A put 0 a
     B put 1 b
     B written
     C put 0 c
     C unknown
     D get
     D 2 b`,
  ],
  [
    'a crashed write whose version was over before it was invoked (Kingsbury 2014, Computational techniques in Knossos)',
    `A put 0 a
     A unknown
     B put 0 b
     B written
     A get
     A 1 b
     A put 0 c
     A unknown
     A get
     A 1 b`,
  ],
  [
    'a write that did not match, which reports what stood in its way (Rystsov 2018, section 2.2: a change function that keeps the value)',
    `A put 0 a
     A written
     B put 0 b
     B 1 a
     B put 3 c
     B 1 a`,
  ],
  [
    'a write that did not match because the key did not exist yet (Rystsov 2018, section 2.2)',
    `A put 1 b
     B put 0 a
     B written
     A 0`,
  ],
  [
    'a write that was refused, and is not seen (Adya 1999, G1a does not occur)',
    `A put 0 a
     A refused
     B get
     B 0
     B put 0 b
     B written
     A get
     A refused`,
  ],
  [
    'a read that tells two equal values apart by their versions (Gibbons & Korach 1997: an answer names its write)',
    `A put 0 a
     A written
     A put 1 b
     A written
     A put 2 a
     A written
     B get
     B 3 a`,
  ],
];

/** A title, the history, and what the message must say. */
const BAD: readonly (readonly [string, string, string])[] = [
  [
    'a stale read: a value that was overwritten before the read began (Kingsbury 2014, Jepsen: etcd and Consul)',
    `A put 0 a
     A written
     A put 1 b
     A written
     B get
     B 1 a`,
    `B's get, from 50 ms (event 5) to 60 ms (event 6), was answered "version 1 "a"", but while it ran the key can only have been at version 2 "b"`,
  ],
  [
    'a write whose client does not read it back (Terry et al. 1994: read your writes)',
    `A put 0 a
     A written
     A get
     A 0`,
    `A's get, from 30 ms (event 3) to 40 ms (event 4), was answered "version 0", but while it ran the key can only have been at version 1 "a"`,
  ],
  [
    'reads that go back in time (Terry et al. 1994: monotonic reads)',
    `A put 0 a
     B get
     B 1 a
     B get
     B 0
     A written`,
    `(event 5), was answered "version 0", but while it ran the key can only have been at version 1 "a"`,
  ],
  [
    'the new value and then the old one beside one write (Lamport 1986, new-old inversion: regular, not atomic)',
    `A put 0 a
     B get
     C get
     B 1 a
     D get
     D 0
     C 0
     A written`,
    `D's get, from 50 ms (event 5) to 60 ms (event 6), was answered "version 0", but`,
  ],
  [
    'a read of the new value, and after it one of the old, while the write still runs (Porcupine, README, second example)',
    `A put 0 a
     B get
     B 1 a
     C get
     C 0
     A written`,
    `C's get`,
  ],
  [
    'a read of a value that nobody wrote (Gibbons & Korach 1997: every answer names a write)',
    `A put 0 a
     A written
     B get
     B 1 x`,
    'can only have been at version 1 "a"',
  ],
  [
    'a read of the future: the write began only after it (Gibbons & Korach 1997: a read after its write)',
    `B get
     B 1 a
     A put 0 a
     A written`,
    `was answered "version 1 "a"", but while it ran the key can only have been at version 0`,
  ],
  [
    'a read of a write that was refused (Adya 1999, G1a: aborted read)',
    `A put 0 a
     A refused
     B get
     B 1 a`,
    `B's get`,
  ],
  [
    'a write that is refused after somebody read it (Adya 1999, G1a: aborted read)',
    `A put 0 a
     B get
     B 1 a
     A refused`,
    'A\'s write of "a" over version 0, from 10 ms (event 1) to 40 ms (event 4), was answered "refused", but version 1 was there, and nothing else can have made it',
  ],
  [
    'two successful writes of one version (Herlihy 1991, section 3.2: of two compare-and-swaps from one value one wins)',
    `A put 0 a
     B put 0 b
     A written
     B written`,
    `B's write of "b" over version 0, from 20 ms (event 2) to 40 ms (event 4), was answered "written", but while it ran the key can only have been at version 0 or version 1 "a"`,
  ],
  [
    'a lost update: an acknowledged write is not there (Berenson et al. 1995, P4)',
    `A put 0 a
     A written
     A put 1 b
     A written
     B get
     B 1 a
     B put 1 c
     B written`,
    `B's get`,
  ],
  [
    'a lost update that only its overwriting shows (Berenson et al. 1995, P4)',
    `A put 0 a
     A written
     A put 1 b
     B put 1 c
     A written
     B unknown
     C get
     C 2 c`,
    `C's get, from 70 ms (event 7) to 80 ms (event 8), was answered "version 2 "c"", but while it ran the key can only have been at version 2 "b"`,
  ],
  [
    'acknowledged writes forgotten when the members of the cluster changed (Kingsbury 2016, Jepsen: RethinkDB 2.2.3 reconfiguration)',
    `A put 0 a
     A written
     B get
     B 0
     B put 0 b
     B written`,
    `B's get`,
  ],
  [
    'a crashed write that is seen, and then unseen (Kingsbury 2015, Jepsen: MongoDB stale reads)',
    `A put 0 a
     A unknown
     B get
     B 1 a
     B get
     B 0`,
    '(event 6), was answered "version 0"',
  ],
  [
    'two crashed writes, both seen as the same version (Kingsbury 2014, Computational techniques in Knossos: each happens once or never)',
    `A put 0 a
     A unknown
     B put 0 b
     B unknown
     C get
     C 1 a
     C get
     C 1 b`,
    'was answered "version 1 "b"", but while it ran the key can only have been at version 1 "a"',
  ],
  [
    'a crashed write that is seen before it was invoked (Kingsbury 2014, Computational techniques in Knossos)',
    `B get
     B 1 a
     A put 0 a
     A unknown`,
    `B's get`,
  ],
  [
    'a write that was applied twice (Ongaro & Ousterhout 2014, section 8: a command that was retried runs a second time)',
    `A put 0 a
     A written
     B put 1 b
     B written
     C get
     C 3 a`,
    'C\'s get, from 50 ms (event 5) to 60 ms (event 6), was answered "version 3 "a"", but while it ran the key can only have been at version 2 "b"',
  ],
  [
    'an acknowledged write over a version that was never made (Gibbons & Korach 1997: read-modify-writes are a chain)',
    `A put 0 a
     A written
     B put 2 c
     B written`,
    `B's write of "c" over version 2`,
  ],
  [
    'an acknowledged write over a version that was over (Gibbons & Korach 1997: read-modify-writes are a chain)',
    `A put 0 a
     A unknown
     B get
     B 1 a
     B put 1 b
     B unknown
     C get
     C 2 b
     D put 1 d
     D written`,
    'D\'s write of "d" over version 1, from 90 ms (event 9) to 100 ms (event 10), was answered "written", but while it ran the key can only have been at version 2 "b"',
  ],
  [
    'a write that returned before the version it expects can have begun (Gibbons & Korach 1997: read-modify-writes are a chain)',
    `B put 1 b
     B written
     A put 0 a
     A written`,
    `B's write of "b" over version 1`,
  ],
  [
    'a mismatch that reports a stale state (Kingsbury 2014, Jepsen: etcd and Consul)',
    `A put 0 a
     A written
     A put 1 b
     A written
     B put 0 c
     B 1 a`,
    `B's write of "c" over version 0, from 50 ms (event 5) to 60 ms (event 6), was answered "version 1 "a"", but while it ran the key can only have been at version 2 "b"`,
  ],
  [
    'a mismatch that reports a value never chosen (Kingsbury 2015, Jepsen: MongoDB stale reads, dirty reads)',
    `A put 0 a
     A written
     B put 1 b
     B refused
     C put 0 c
     C 2 b`,
    `C's write of "c"`,
  ],
  [
    'a mismatch that reports the very version it expects (Rystsov 2018, section 2.2: then it would have applied)',
    `A put 0 a
     A written
     B put 1 b
     B 1 a`,
    'B\'s write of "b" over version 1, from 30 ms (event 3) to 40 ms (event 4), was answered "version 1 "a"", which is the very version that it expects',
  ],
  [
    'a version seen beside the one before it, and that one by a reader who came later (Lowe 2017: real time links operations through others)',
    `A put 0 a
     A written
     B put 1 b
     B unknown
     C get
     D get
     D 1 a
     C 2 b
     E get
     E 1 a`,
    `E's get`,
  ],
  [
    'a read that must wait for a reader of the version before (Lowe 2017: real time links operations through others)',
    `A put 0 a
     A unknown
     B put 1 b
     B unknown
     C get
     C 1 a
     D get
     E get
     D 2 b
     E 1 a
     F get
     F 1 a`,
    `F's get`,
  ],
  ['a value at version 0', 'A get\n A 0 a', `was answered "version 0 "a"", but while it ran the key can only have been at version 0`],
  ['a version without a value', 'A put 0 a\n B get\n B 1', `B's get`],
  ['a version below 0', 'A get\n A -1 a', `A's get`],
  ['half a version', 'A put 0 a\n B put 1 b\n C get\n C 1.5 b', `C's get`],
  ['a write over a version below 0', 'A put -1 a\n A written', `A's write of "a" over version -1`],
  ['a read that is answered as a write', 'A get\n A written', `A's get`],
];

describe('linearizable', () => {
  it.each(GOOD)('%s', (_, history) => {
    const operations = told(history);
    expect(checkLinearizability(operations)).toBeUndefined();
    expect(someOrderExplains(operations)).toBe(true);
  });
});

describe('not linearizable', () => {
  it.each(BAD)('%s', (_, history, message) => {
    const operations = told(history);
    expect(checkLinearizability(operations)).toMatchObject({
      rule: 'linearizability',
      key: 'k',
      message: expect.stringContaining(message) as string,
    });
    expect(someOrderExplains(operations)).toBe(false);
  });

  it('names the first response that cannot be placed, not the last', () => {
    const operations = told(`
      A put 0 a
      A written
      B get
      B 0
      C get
      C 0
      D get
      D 1 a`);
    expect(checkLinearizability(operations)?.message).toContain("B's get");
    expect(checkLinearizability(operations.slice(0, 1).concat(operations.slice(2)))?.message).toContain("C's get");
  });

  it('finds the order also where the operations are not listed in the order of their invocations', () => {
    const [, text] = GOOD.find(([title]) => title.startsWith('of two crashed writes')) ?? [];
    expect(checkLinearizability(told(text ?? '').reverse())).toBeUndefined();
    const bad = told(`
      B put 1 b
      A put 0 a
      C get
      C 3 c`);
    const message = checkLinearizability(bad)?.message;
    expect(message).toContain('can only have been at version 0, version 1 "a" or version 2 "b"');
    expect(checkLinearizability(bad.reverse())?.message).toBe(message);
  });

  it('names no state that was over before, or that came later', () => {
    const message = checkLinearizability(
      told(`
        A put 0 a
        A written
        B put 1 b
        B written
        C put 2 c
        D get
        E get
        E 3 c
        D 3 x
        F put 3 f
        F written`),
    )?.message;
    expect(message).toContain('D\'s get, from 60 ms (event 6) to 90 ms (event 9), was answered "version 3 "x"", but');
    expect(message?.split('but')[1]).toBe(' while it ran the key can only have been at version 2 "b" or version 3 "c"');
  });

  it('says of many possible states how many more there are', () => {
    const crashed = Array.from({ length: 8 }, (_, index) => `A put 0 a${index}\n A unknown`).join('\n');
    const message = checkLinearizability(told(`${crashed}\n B get\n B 1 x`))?.message;
    expect(message).toContain('version 0, version 1 "a0", version 1 "a1", version 1 "a2", version 1 "a3", version 1 "a4" or 3 more');
  });
});
