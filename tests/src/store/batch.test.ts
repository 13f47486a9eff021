import { describe, expect, it } from 'vitest';
import type { Value } from '../../../src/protocol/acceptor.js';
import { CommitError } from '../../../src/protocol/errors.js';
import { Batch } from '../../../src/store/batch.js';
import type { Attempt, Outcome } from '../../../src/store/records.js';
import { ChangeRefused, KeyNotFound, NameReused, OutcomeForgotten, VersionMismatch } from '../../../src/store/errors.js';
import type { Stored } from '../../../src/store/versioned.js';
import { DELETED, type JsonChange, type Write } from '../../../src/store/write.js';

const add =
  (by: number): JsonChange =>
  (val) =>
    Number(val ?? 0) + by;
const append =
  (text: string): JsonChange =>
  (val) =>
    `${typeof val === 'string' ? val : ''}${text}`;

let ids = 0;
const attempt = (write: Write): Attempt => ({ ...write, op: `own ${(ids += 1)}` });
const stored = (value: Value): Stored => JSON.parse(value ?? 'null') as Stored;

interface Register {
  value: Value;
  floor: number;
}
const empty = (floor = 0): Register => ({ value: null, floor });

/** A round that is completed. */
function complete(register: Register, ...writes: Write[]): Outcome[] {
  return completeBatch(register, new Batch('k', writes.map(attempt)));
}

function completeBatch(register: Register, batch: Batch): Outcome[] {
  const before = register.value;
  register.value = batch.change(before, register.floor);
  return batch.outcomesOf(before);
}

/** A round whose accept failed. Returns the value that it carried. */
function fail(register: Register, batch: Batch): Value {
  const after = batch.change(register.value, register.floor);
  batch.noteSent({ before: register.value, after });
  return after;
}

function only(outcomes: Outcome[]): Outcome {
  expect(outcomes).toHaveLength(1);
  return outcomes[0] ?? new Error('nothing');
}

const named = (name: string, more: { print?: string; since?: number } = {}) => ({ name: { name, print: 'print', ...more } });

describe('change functions in one round', () => {
  it('are applied one after the other, each a version of its own, and each is told what it made', () => {
    const register = empty();
    expect(complete(register, { change: add(1) }, { change: add(2) }, { ver: 2, val: 10 }, { change: add(5) })).toEqual([
      { ver: 1, val: 1 },
      { ver: 2, val: 3 },
      { ver: 3, val: 10 },
      { ver: 4, val: 15 },
    ]);
    expect(stored(register.value)).toMatchObject({ ver: 4, val: 15 });
  });

  it('change nothing where they do not fit, and leave the others alone', () => {
    const register = empty();
    const refusal = new ChangeRefused('does not fit');
    const refuse: JsonChange = () => {
      throw refusal;
    };
    const outcomes = complete(register, { change: add(1) }, { change: refuse }, { ver: 7, change: add(1) }, { change: add(1) });
    expect(outcomes).toEqual([{ ver: 1, val: 1 }, refusal, expect.any(VersionMismatch), { ver: 2, val: 2 }]);
    expect(outcomes[2]).toMatchObject({ details: { key: 'k', ver: 2, val: 2 } });
  });

  it.each([[undefined], [Number.NaN], [new Date()], [() => 1]])('may not make %s, which is no JSON value', (made) => {
    const register = empty();
    expect(only(complete(register, { change: () => made }))).toMatchObject({ code: 'BadRequest' });
    expect(register.value).toBeNull();
  });

  it('are told whether the key exists', () => {
    const register = empty();
    const seen: unknown[] = [];
    const look: JsonChange = (val, exists) => {
      seen.push([val, exists]);
      return null;
    };
    complete(register, { change: look }, { change: look }, { val: DELETED }, { change: look });
    expect(seen).toEqual([
      [null, false],
      [null, true],
      [null, false],
    ]);
  });
});

describe('a delete', () => {
  it('leaves a tombstone: the version goes on, and what is written next is the version after it', () => {
    const register = empty();
    complete(register, { ver: 0, val: 'a' });
    expect(only(complete(register, { val: DELETED }))).toEqual({ ver: 0, val: null, deletedVer: 2 });
    expect(stored(register.value)).toMatchObject({ ver: 2, val: null, deleted: true });
    expect(new Batch('k', [undefined]).outcomesOf(register.value)).toEqual([{ ver: 0, val: null, deletedVer: 2 }]);
    expect(only(complete(register, { ver: 0, val: 'b' }))).toEqual({ ver: 3, val: 'b' });
    expect(stored(register.value)).not.toHaveProperty('deleted');
  });

  it('of what does not exist says so, and writes nothing', () => {
    const register = empty();
    const never = only(complete(register, { val: DELETED }));
    expect(never).toBeInstanceOf(KeyNotFound);
    expect(never).toMatchObject({ message: 'the key does not exist' });
    // No version of a deletion, for there was none.
    expect(never).toHaveProperty('details', { key: 'k', ver: 0 });
    expect(register.value).toBeNull();
    complete(register, { val: 1 }, { val: DELETED });
    const before = register.value;
    expect(only(complete(register, { val: DELETED }))).toMatchObject({ code: 'KeyNotFound', details: { key: 'k', ver: 0, deletedVer: 2 } });
    expect(register.value).toBe(before);
  });

  it('is missed by a compare-and-set that expects the version before it, or its own', () => {
    const register = empty();
    complete(register, { val: 1 }, { val: DELETED });
    for (const ver of [1, 2]) {
      expect(only(complete(register, { ver, val: 'x' }))).toMatchObject({ code: 'VersionMismatch', details: { ver: 0, deletedVer: 2 } });
    }
    complete(register, { ver: 0, val: 'new' });
    expect(only(complete(register, { ver: 1, val: 'x' }))).toMatchObject({ code: 'VersionMismatch', details: { ver: 3, val: 'new' } });
  });

  it('in the round of a create that found the key still there does not make its mismatch one with what it expects', () => {
    const register = empty();
    complete(register, { val: 1 });
    const [create, deleted] = complete(register, { ver: 0, val: 'x' }, { val: DELETED });
    expect(create).toMatchObject({ code: 'VersionMismatch', details: { ver: 1, val: 1 } });
    expect(deleted).toMatchObject({ deletedVer: 2 });
  });

  it('between two sendings of one create in its round gives both the same answer', () => {
    const register = empty();
    complete(register, { val: 1 });
    const create: Write = { ver: 0, val: 'x', name: { name: 'N', print: 'x' } };
    const [first, , second] = complete(register, create, { val: DELETED }, create);
    expect(second).toEqual({ ver: 3, val: 'x' });
    expect(first).toEqual(second);
  });

  it('may expect a version', () => {
    const register = empty();
    complete(register, { val: 1 });
    expect(only(complete(register, { ver: 2, val: DELETED }))).toBeInstanceOf(VersionMismatch);
    expect(only(complete(register, { ver: 1, val: DELETED }))).toMatchObject({ deletedVer: 2 });
  });
});

describe('an absent key under a floor', () => {
  it('goes on above the floor, so that no version is told twice, and is as if it had never been otherwise', () => {
    const register = empty(57);
    expect(only(complete(register, { ver: 57, val: 'x' }))).toMatchObject({ code: 'VersionMismatch', details: { ver: 0, val: null } });
    expect(new Batch('k', [undefined]).outcomesOf(null)).toEqual([{ ver: 0, val: null }]);
    expect(only(complete(register, { ver: 0, val: 'new' }))).toEqual({ ver: 58, val: 'new' });
  });
});

describe('an accept that failed', () => {
  it('is found by its id, and told what it made, though others wrote since', () => {
    const register = empty();
    const batch = new Batch('k', [attempt({ change: add(1) }), attempt({ change: add(1) })]);
    register.value = fail(register, batch);
    complete(register, { change: add(10) });
    expect(completeBatch(register, batch)).toEqual([
      { ver: 1, val: 1 },
      { ver: 2, val: 2 },
    ]);
    expect(stored(register.value)).toMatchObject({ ver: 3, val: 12 });
  });

  it('is repeated where the register tells of every version since and not of it', () => {
    const register = empty();
    const batch = new Batch('k', [attempt({ change: add(1) })]);
    fail(register, batch);
    complete(register, { change: add(10) });
    expect(only(completeBatch(register, batch))).toEqual({ ver: 2, val: 11 });
  });

  it('that carried more than the records that are kept is found whole', () => {
    const register = empty();
    const batch = new Batch(
      'k',
      Array.from({ length: 60 }, (_, ver) => attempt({ ver, val: ver + 1 })),
    );
    register.value = fail(register, batch);
    expect(completeBatch(register, batch)).toEqual(Array.from({ length: 60 }, (_, ver) => ({ ver: ver + 1, val: ver + 1 })));
  });

  it('is found whole though as large a round of others followed', () => {
    const register = empty();
    const adds = (): Attempt[] => Array.from({ length: 60 }, () => attempt({ change: add(1) }));
    const batch = new Batch('k', adds());
    register.value = fail(register, batch);
    completeBatch(register, new Batch('k', adds()));
    expect(completeBatch(register, batch).at(-1)).toEqual({ ver: 60, val: 60 });
  });

  it('is found whole though some small rounds of others followed: they cut off what is older', () => {
    const register = empty();
    for (let count = 0; count < 32; count += 1) complete(register, { change: add(1) });
    const batch = new Batch(
      'k',
      Array.from({ length: 60 }, () => attempt({ change: add(1) })),
    );
    register.value = fail(register, batch);
    for (let count = 0; count < 16; count += 1) complete(register, { change: add(1) });
    expect(completeBatch(register, batch).at(0)).toEqual({ ver: 33, val: 33 });
    complete(register, { change: add(1) });
    expect(completeBatch(register, batch).at(0)).toBeInstanceOf(CommitError);
    for (let count = 0; count < 60; count += 1) complete(register, { change: add(1) });
    expect(stored(register.value).ops).toHaveLength(32);
  });

  it('makes no register long for ever: what large rounds leave is bounded', () => {
    const register = empty();
    for (let round = 0; round < 20; round += 1) complete(register, ...Array.from({ length: 60 }, () => ({ change: add(1) })));
    expect(stored(register.value).ops).toHaveLength(512);
    complete(register, ...Array.from({ length: 600 }, () => ({ change: add(1) })));
    expect(stored(register.value).ops).toHaveLength(600);
    complete(register, { change: add(1) });
    expect(stored(register.value).ops).toHaveLength(512);
  });

  it('is unknown where more was written since than is told: it is not applied again', () => {
    for (const written of [31, 32, 33]) {
      const register = empty();
      const batch = new Batch('k', [attempt({ change: add(1) })]);
      fail(register, batch);
      for (let count = 0; count < written; count += 1) complete(register, { change: add(10) });
      const outcome = only(completeBatch(register, batch));
      if (written <= 32) expect(outcome).toEqual({ ver: written + 1, val: 10 * written + 1 });
      else expect(outcome).toBeInstanceOf(CommitError);
    }
  });

  it('is unknown, too, where the key was deleted and collected since', () => {
    const register = empty();
    const batch = new Batch('k', [attempt({ change: append('mine') })]);
    fail(register, batch);
    expect(only(completeBatch(empty(2), batch))).toBeInstanceOf(CommitError);
    const later = empty(2);
    complete(later, { val: 'theirs' });
    expect(only(completeBatch(later, batch))).toBeInstanceOf(CommitError);
    expect(only(completeBatch(empty(0), batch))).toEqual({ ver: 1, val: 'mine' });
  });

  it('has another id where it began from another value, so that what it made is told as it was', () => {
    const [here, there] = [empty(), empty()];
    complete(here, { val: 10 });
    complete(there, { val: 20 });
    const batch = new Batch('k', [attempt({ change: add(1) })]);
    const fromTen = fail(here, batch);
    const fromTwenty = fail(there, batch);
    expect(stored(fromTen).ops[0]).not.toBe(stored(fromTwenty).ops[0]);
    expect(batch.outcomesOf(fromTen)).toEqual([{ ver: 2, val: 11 }]);
    expect(batch.outcomesOf(fromTwenty)).toEqual([{ ver: 2, val: 21 }]);
  });

  it('has an id for each write that it carried, also where it is sent again', () => {
    const [here, there] = [empty(), empty()];
    complete(there, { val: 20 });
    const batch = new Batch('k', [attempt({ change: add(1) }), attempt({ change: add(2) })]);
    const sent = [fail(here, batch), fail(there, batch)].flatMap((value) => stored(value).ops.slice(0, 2));
    expect(new Set(sent).size).toBe(4);
  });

  it('twice is unknown where one of the two may be older than all that is told, and not applied a third time', () => {
    const register = empty();
    const batch = new Batch('k', [attempt({ change: add(1_000) })]);
    fail(register, batch);
    for (let count = 0; count < 20; count += 1) complete(register, { change: add(1) });
    fail(register, batch);
    for (let count = 0; count < 20; count += 1) complete(register, { change: add(1) });
    const before = register.value;
    expect(stored(before)).toMatchObject({ ver: 40, val: 40 });
    expect(only(completeBatch(register, batch))).toBeInstanceOf(CommitError);
    expect(register.value).toBe(before);
  });

  it('is decided by a read that shows it, or a version that overruled it, and by no other', () => {
    const register = empty();
    complete(register, { val: 'base' });
    const base = register.value;
    const batch = new Batch('k', [attempt({ ver: 1, val: 'mine' })]);
    const mine = fail(register, batch);
    expect(batch.isDecidedBy(base)).toBe(false);
    expect(batch.isDecidedBy(mine)).toBe(true);
    complete(register, { val: 'theirs' });
    expect(batch.isDecidedBy(register.value)).toBe(true);
  });

  it('of a change without a condition is decided by a read only where that shows it', () => {
    const register = empty();
    complete(register, { val: 1 });
    const batch = new Batch('k', [attempt({ change: add(1) })]);
    const mine = fail(register, batch);
    expect(batch.isDecidedBy(mine)).toBe(true);
    complete(register, { change: add(5) });
    expect(batch.isDecidedBy(register.value)).toBe(false);
  });

  it('of a delete is not decided by a read that shows nothing: it may be under way', () => {
    const register = empty();
    complete(register, { val: 1 });
    const batch = new Batch('k', [attempt({ val: DELETED })]);
    fail(register, batch);
    expect(batch.isDecidedBy(null)).toBe(false);
  });
});

describe('a name', () => {
  it('is applied once: sent again it is told what it made, whatever was written since', () => {
    const register = empty();
    const first = { change: add(1), ...named('n') };
    expect(only(complete(register, first))).toEqual({ ver: 1, val: 1 });
    complete(register, { change: add(10) });
    const before = register.value;
    expect(only(complete(register, first))).toEqual({ ver: 1, val: 1 });
    expect(register.value).toBe(before);
  });

  it('is applied once also where it is twice in one round', () => {
    const register = empty();
    const write = { change: add(1), ...named('n') };
    expect(complete(register, write, write)).toEqual([
      { ver: 1, val: 1 },
      { ver: 1, val: 1 },
    ]);
  });

  it('tells a value, a deletion, and a long result as long as it is there', () => {
    const register = empty();
    const long = 'x'.repeat(100);
    const writes: Write[] = [
      { ver: 0, val: { any: 'value' }, ...named('set') },
      { change: append(long), ...named('long') },
    ];
    complete(register, ...writes);
    expect(complete(register, ...writes)).toEqual([
      { ver: 1, val: { any: 'value' } },
      { ver: 2, val: long },
    ]);
    const deletes: Write[] = [{ val: DELETED, ...named('gone') }];
    expect(only(complete(register, ...deletes))).toEqual({ ver: 0, val: null, deletedVer: 3 });
    complete(register, { change: () => 'back' }, { change: () => DELETED, ...named('gone again') }, { val: 'there' });
    expect(only(complete(register, ...deletes))).toEqual({ ver: 0, val: null, deletedVer: 3 });
    expect(only(complete(register, { change: () => DELETED, ...named('gone again') }))).toEqual({ ver: 0, val: null, deletedVer: 5 });
    expect(only(complete(register, { change: append(long), ...named('long') }))).toEqual({ ver: 2, val: undefined });
  });

  it('is kept with a result of up to 64 characters, and with none where the request says what was written', () => {
    const register = empty();
    complete(register, { val: 'x', ...named('set') });
    expect(stored(register.value).ops[0]).toEqual({ name: 'set', print: 'print' });
    for (const [characters, isKept] of [
      [62, true],
      [63, false],
    ] as const) {
      const val = 'y'.repeat(characters);
      complete(register, { change: () => val, ...named(`of ${characters}`) });
      expect(stored(register.value).ops[0]).toEqual({ name: `of ${characters}`, print: 'print', ...(isKept && { val }) });
    }
  });

  it('stands for one request: another one under it is refused', () => {
    const register = empty();
    complete(register, { change: add(1), ...named('n') });
    const another = only(complete(register, { change: add(2), ...named('n', { print: 'another' }) }));
    expect(another).toBeInstanceOf(NameReused);
    expect(another).toMatchObject({ message: 'the name "n" was given to another request for this key', details: { key: 'k' } });
    expect(stored(register.value)).toMatchObject({ ver: 1, val: 1 });
  });

  it('is not taken for an id of a proposer, nor an id for it', () => {
    const register = empty();
    const own = attempt({ change: add(1) });
    completeBatch(register, new Batch('k', [own]));
    expect(only(complete(register, { change: add(1), ...named(own.op) }))).toEqual({ ver: 2, val: 2 });
  });

  it('is kept over a deletion and a new life of the key', () => {
    const register = empty();
    const create = { ver: 0, val: 'a', ...named('create') };
    complete(register, create);
    complete(register, { val: DELETED });
    expect(only(complete(register, create))).toEqual({ ver: 1, val: 'a' });
    complete(register, { ver: 0, val: 'b' });
    expect(only(complete(register, create))).toEqual({ ver: 1, val: 'a' });
    expect(stored(register.value)).toMatchObject({ ver: 3, val: 'b' });
  });

  it('is forgotten after as many writes as are told, and then not applied again', () => {
    const register = empty();
    const first = { change: add(1), ...named('n', { since: 0 }) };
    complete(register, first);
    for (let count = 1; count < 32; count += 1) complete(register, { change: add(1) });
    expect(only(complete(register, first))).toEqual({ ver: 1, val: 1 });
    complete(register, { change: add(1) });
    const before = register.value;
    const told = 'the last 32 writes of the key do not tell what became of "n", and there were more';
    const advice = 'if you send it for the first time, send with it "since": 33, and the same again when you repeat it';
    expect(only(complete(register, first))).toMatchObject({
      code: 'OutcomeForgotten',
      message: `${told}; ${advice}`,
      details: { key: 'k', since: 33 },
    });
    expect(only(complete(register, { change: add(1), ...named('n') }))).toBeInstanceOf(OutcomeForgotten);
    expect(register.value).toBe(before);
  });

  it('that was sent since a version that is told of is known to be new, and applied', () => {
    const register = empty();
    for (let count = 0; count < 40; count += 1) complete(register, { change: add(1) });
    expect(only(complete(register, { change: add(1), ...named('n', { since: 7 }) }))).toBeInstanceOf(OutcomeForgotten);
    expect(only(complete(register, { change: add(1), ...named('n', { since: 8 }) }))).toEqual({ ver: 41, val: 41 });
    expect(only(complete(register, { change: add(1), ...named('n', { since: 8 }) }))).toEqual({ ver: 41, val: 41 });
  });

  it('with a version that it expects needs nothing else: it was applied to that version, or never will be', () => {
    const register = empty();
    for (let count = 0; count < 40; count += 1) complete(register, { change: add(1) });
    expect(only(complete(register, { ver: 40, val: 'x', ...named('now') }))).toEqual({ ver: 41, val: 'x' });
    expect(only(complete(register, { ver: 9, val: 'x', ...named('told') }))).toBeInstanceOf(VersionMismatch);
    // Without advice: a new one expects a version that is told of.
    const message = 'the last 32 writes of the key do not tell what became of "not told", and there were more';
    expect(only(complete(register, { ver: 8, val: 'x', ...named('not told') }))).toMatchObject({ code: 'OutcomeForgotten', message });
  });

  it('of before a collection is forgotten, and the name of a new one is told what to say', () => {
    const register = empty(57);
    const create = { ver: 0, val: 'a', ...named('create') };
    expect(only(complete(register, create))).toMatchObject({
      code: 'OutcomeForgotten',
      message: expect.stringMatching(/^deleted keys were collected since, .*"create".*"since": 57,/) as string,
      details: { since: 57 },
    });
    expect(register.value).toBeNull();
    expect(only(complete(register, { ver: 0, val: 'a', ...named('create', { since: 57 }) }))).toEqual({ ver: 58, val: 'a' });
    expect(only(complete(register, { ver: 56, val: 'a', ...named('old') }))).toBeInstanceOf(OutcomeForgotten);
  });

  it('that a read does not show may be under way from another proposer: only a round, or a later version, decides that it missed', () => {
    const register = empty();
    complete(register, { val: 1 }, { val: 2 });
    const isDecided = (write: Write): boolean => new Batch('k', [attempt(write)]).isDecidedBy(register.value);
    expect(isDecided({ ver: 7, val: 'x' })).toBe(true);
    expect(isDecided({ ver: 7, val: 'x', ...named('n') })).toBe(false);
    expect(isDecided({ ver: 1, val: 'x', ...named('n') })).toBe(true);
    expect(isDecided({ ver: 0, val: 'x', ...named('n') })).toBe(false);
    const refuse: JsonChange = () => {
      throw new ChangeRefused('no');
    };
    expect(isDecided({ change: refuse })).toBe(true);
    expect(isDecided({ change: refuse, ...named('n') })).toBe(false);
    expect(isDecided({ ver: 2, change: refuse, ...named('n') })).toBe(false);
    const both = [
      { ver: 1, val: 'x', ...named('past') },
      { ver: 7, val: 'x', ...named('to come') },
    ];
    expect(new Batch('k', both.map(attempt)).isDecidedBy(register.value)).toBe(false);
    complete(register, { val: 3, ...named('n') });
    expect(isDecided({ change: refuse, ...named('n') })).toBe(true);
  });

  it('whose accept failed is found, or sent again, as any other', () => {
    const register = empty();
    const batch = new Batch('k', [attempt({ change: add(1), ...named('n') })]);
    const mine = fail(register, batch);
    expect(batch.isDecidedBy(mine)).toBe(true);
    expect(batch.isDecidedBy(null)).toBe(false);
    complete(register, { change: add(10) });
    expect(only(completeBatch(register, batch))).toEqual({ ver: 2, val: 11 });
  });

  it('whose accept failed is unknown where the key moved on: its client must not take it for one that never was sent', () => {
    for (const write of [{ change: add(1) }, { ver: 0, val: 1 }]) {
      const register = empty();
      const batch = new Batch('k', [attempt({ ...write, ...named('n', { since: 0 }) })]);
      register.value = fail(register, batch);
      for (let count = 0; count < 33; count += 1) complete(register, { change: add(10) });
      expect(only(completeBatch(register, batch))).toBeInstanceOf(CommitError);
      expect(only(complete(register, { ...write, ...named('n', { since: 0 }) }))).toBeInstanceOf(OutcomeForgotten);
    }
  });
});

describe('a batch', () => {
  it('tells what the round that ran last made of nothing, whichever floor was told before', () => {
    const batch = new Batch('k', [attempt({ val: 'mine' })]);
    fail(empty(0), batch);
    expect(only(completeBatch(empty(57), batch))).toBeInstanceOf(CommitError);
    expect(only(completeBatch(empty(0), batch))).toEqual({ ver: 1, val: 'mine' });
  });

  it('takes no room where it only reads and deletes', () => {
    const takesNoRoom = (...writes: Write[]): boolean => new Batch('k', writes.map(attempt)).takesNoRoom;
    expect(takesNoRoom({ val: DELETED }, { ver: 3, val: DELETED })).toBe(true);
    for (const write of [{ val: 1 }, { change: add(1) }, { change: () => DELETED }])
      expect(takesNoRoom({ val: DELETED }, write)).toBe(false);
    expect(new Batch('k', [undefined, attempt({ val: DELETED })]).takesNoRoom).toBe(true);
  });

  it('leaves a value that decides all of it', () => {
    const register = empty();
    complete(register, { val: 1, ...named('n') });
    const leaves = (write: Write): boolean => new Batch('k', [attempt(write)]).leaves(register.value);
    expect(leaves({ ver: 7, val: 2 })).toBe(true);
    expect(leaves({ val: 1, ...named('n') })).toBe(true);
    expect(leaves({ ver: 1, val: 2 })).toBe(false);
    expect(leaves({ change: add(1) })).toBe(false);
    expect(new Batch('k', [undefined]).leaves(register.value)).toBe(true);
  });
});
