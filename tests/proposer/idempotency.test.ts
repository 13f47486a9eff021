import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../cluster.js';
import { type RawAnswer, send } from '../raw-http.js';

let cluster: Cluster;
let count = 0;

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.stop());

const freshPath = (): string => `/kv/key-${(count += 1)}`;
const freshName = (): string => `name-${(count += 1)}`;

interface Sent {
  readonly method?: string;
  readonly name?: string;
  /** The header as it is, in place of a name. */
  readonly header?: string;
  readonly body?: unknown;
  readonly proposer?: number;
}

/** A POST through the first proposer, unless it is said otherwise. */
function ask(path: string, { method = 'POST', name, header, body, proposer = 1 }: Sent): Promise<RawAnswer> {
  const key = header ?? (name === undefined ? undefined : JSON.stringify(name));
  return send(cluster.proposer(proposer).address, { method, path, body, headers: key === undefined ? {} : { 'idempotency-key': key } });
}
const get = (path: string, proposer = 2): Promise<RawAnswer> => ask(path, { method: 'GET', proposer });

/** Writes the key so many times, each in a round of its own. */
async function writeOften(path: string, times: number): Promise<void> {
  for (let index = 0; index < times; index += 1) expect((await ask(path, { body: { add: 1 } })).status).toBe(200);
}

/** More writes than a register tells of, where each has a round of its own. */
const OUTRUN = 33;

describe('the header Idempotency-Key', () => {
  it.each([
    ['one character', '"a"'],
    ['64 characters', `"${'a'.repeat(64)}"`],
    ['64 characters, each of which is escaped', `"${'\\"'.repeat(64)}"`],
    ['white space around it', '  "a b"  '],
    ['a backslash', '"\\\\"'],
  ])('is taken with %s', async (_, header) => {
    const path = freshPath();
    for (let time = 0; time < 2; time += 1) expect((await ask(path, { header, body: { add: 1 } })).body).toMatchObject({ ver: 1, val: 1 });
    expect((await get(path)).body).toMatchObject({ ver: 1, val: 1 });
  });

  it.each([
    ['without quotes', 'a'],
    ['empty', '""'],
    ['missing', ''],
    ['65 characters long', `"${'a'.repeat(65)}"`],
    ['open at its end', '"a'],
    ['two names', '"a", "b"'],
    ['a name with parameters', '"a";b=1'],
    ['not ASCII', '"\xe9"'],
    ['with a tab', '"a\tb"'],
    ['with a backslash before something else', '"\\a"'],
    ['with a quote inside', '"a"b"'],
    ['a token of another kind', "'a'"],
  ])('is refused where it is %s, and nothing is written', async (_, header) => {
    const path = freshPath();
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const body = { POST: { add: 1 }, PUT: { ver: 0, val: 1 } }[method];
      const answer = await ask(path, { method, header, body });
      expect(answer.body).toMatchObject({ code: 'BadRequest', message: expect.stringMatching(/1 to 64 printable characters/) as string });
    }
    expect((await get(path)).status).toBe(404);
  });

  it.each([-1, 0.5, '0', null, 2 ** 53])('may come with since, which is a version and not %j', async (since) => {
    const answer = await ask(freshPath(), { name: freshName(), body: { add: 1, since } });
    expect(answer.body).toMatchObject({ code: 'BadRequest', message: expect.stringMatching(/since must be an integer/) as string });
  });
});

describe('a repeat', () => {
  const writes: [string, Sent, object][] = [
    ['PUT', { method: 'PUT', body: { ver: 3, val: 7 } }, { ver: 4, val: 7 }],
    ['set', { body: { set: 9 } }, { ver: 4, val: 9 }],
    ['add', { body: { add: 5 } }, { ver: 4, val: 8 }],
    ['conditional add', { body: { add: 5, ver: 3 } }, { ver: 4, val: 8 }],
    ['DELETE', { method: 'DELETE' }, { ver: 0, deletedVer: 4 }],
  ];
  it.each(writes)('of a %s is told the first outcome through either proposer, also when others wrote since', async (_, write, outcome) => {
    const path = freshPath();
    const name = freshName();
    await writeOften(path, 3);
    const first = await ask(path, { ...write, name });
    expect([first.status, first.body]).toEqual([200, expect.objectContaining(outcome)]);
    for (const proposer of [2, 1]) {
      const again = await ask(path, { ...write, name, proposer });
      expect([again.status, again.body]).toEqual([first.status, first.body]);
      await writeOften(path, 5);
    }
    expect((await get(path)).body).toMatchObject({ ver: 14 });
    expect((await ask(path, { ...write, name })).body).toEqual(first.body);
  });

  it('of a PUT that created the key says so again', async () => {
    const path = freshPath();
    const put = { method: 'PUT', name: 'create', body: { ver: 0, val: 'a' } };
    for (const proposer of [1, 2, 1])
      expect(await ask(path, { ...put, proposer })).toMatchObject({ status: 201, body: { ver: 1, val: 'a' } });
  });

  it('of a DELETE does not delete what was created since', async () => {
    const path = freshPath();
    await writeOften(path, 1);
    const first = await ask(path, { method: 'DELETE', name: 'gone' });
    await ask(path, { method: 'PUT', body: { ver: 0, val: 'new' } });
    expect((await ask(path, { method: 'DELETE', name: 'gone', proposer: 2 })).body).toEqual(first.body);
    expect((await get(path)).body).toMatchObject({ ver: 3, val: 'new' });
  });

  it('of a PUT that created the key does not create it once more after it was deleted', async () => {
    const path = freshPath();
    const put = { method: 'PUT', name: 'create', body: { ver: 0, val: 'a' } };
    await ask(path, put);
    await ask(path, { method: 'DELETE' });
    expect((await ask(path, { ...put, proposer: 2 })).body).toMatchObject({ ver: 1, val: 'a' });
    expect((await get(path)).body).toMatchObject({ code: 'KeyNotFound', ver: 0, deletedVer: 2 });
  });

  it('of what was refused is tried anew: nothing was applied that it could be told of', async () => {
    const path = freshPath();
    expect((await ask(path, { method: 'DELETE', name: 'n' })).body).toMatchObject({ code: 'KeyNotFound' });
    await ask(path, { body: { set: 'text' } });
    expect((await ask(path, { name: 'm', body: { add: 1 } })).body).toMatchObject({ code: 'ChangeRefused' });
    await ask(path, { body: { set: 1 } });
    expect((await ask(path, { name: 'm', body: { add: 1 } })).body).toMatchObject({ ver: 3, val: 2 });
    expect((await ask(path, { method: 'DELETE', name: 'n' })).body).toMatchObject({ deletedVer: 4 });
  });

  it('at once, twenty times through each proposer, is applied once, and all are told the same', async () => {
    const path = freshPath();
    const requests = Array.from({ length: 40 }, (_, index) => ask(path, { name: 'n', body: { add: 1 }, proposer: 1 + (index % 2) }));
    const answers = await Promise.all(requests);
    const applied = answers.filter(({ status }) => status === 200);
    expect(new Set(answers.map(({ status }) => status)).size).toBeLessThanOrEqual(2);
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    expect(new Set(applied.map(({ text }) => text)).size).toBe(1);
    expect((await get(path)).body).toMatchObject({ ver: 1, val: 1 });
  });

  it('is told of a result that is long as long as the key still holds it, and later of the version alone', async () => {
    const path = freshPath();
    const write = { name: 'n', body: { append: 'x'.repeat(1_000) } };
    const first = await ask(path, write);
    expect((await ask(path, { ...write, proposer: 2 })).text).toBe(first.text);
    await ask(path, { body: { append: 'y' } });
    expect((await ask(path, write)).body).toEqual({ key: path.slice(4), ver: 1 });
  });
});

describe('another request under the same name', () => {
  const first = { name: 'n', body: { add: 1, ver: 1 } };
  it.each<[string, Sent]>([
    ['another argument', { body: { add: 2, ver: 1 } }],
    ['another function', { body: { set: 1, ver: 1 } }],
    ['another condition', { body: { add: 1, ver: 2 } }],
    ['no condition', { body: { add: 1 } }],
    ['another method', { method: 'PUT', body: { ver: 1, val: 1 } }],
    ['a DELETE', { method: 'DELETE' }],
  ])('is refused, whatever it is: %s', async (_, other) => {
    const path = freshPath();
    await writeOften(path, 1);
    await ask(path, first);
    for (const proposer of [1, 2]) {
      const answer = await ask(path, { ...other, name: 'n', proposer });
      expect([answer.status, answer.body]).toMatchObject([422, { code: 'NameReused' }]);
    }
    expect((await get(path)).body).toMatchObject({ ver: 2, val: 2 });
  });

  it('is no other one for a different since, white space, or way to write a number', async () => {
    const path = freshPath();
    await writeOften(path, 1);
    await ask(path, first);
    for (const body of ['{"ver": 1.0, "add": 1e0}', { ...first.body, since: 0 }, { ...first.body, since: 1 }]) {
      expect((await ask(path, { name: 'n', body })).body).toMatchObject({ ver: 2, val: 2 });
    }
  });

  it('is a name of its own for another key', async () => {
    for (const path of [freshPath(), freshPath()]) expect((await ask(path, first)).body).toMatchObject({ code: 'VersionMismatch' });
    for (const path of [freshPath(), freshPath()])
      expect((await ask(path, { name: 'n', body: { add: 1 } })).body).toMatchObject({ ver: 1 });
  });
});

describe('a name that more writes passed by than the key tells of', () => {
  it('is forgotten, by everybody, and never applied again; the answer says from which version to begin anew', async () => {
    const path = freshPath();
    const add = { name: 'n', body: { add: 1 } };
    await ask(path, add);
    await writeOften(path, OUTRUN);
    for (const proposer of [1, 2]) {
      const answer = await ask(path, { ...add, proposer });
      expect([answer.status, answer.body]).toMatchObject([410, { code: 'OutcomeForgotten', since: 34 }]);
      expect(answer.body?.['message']).toContain('"since": 34');
    }
    // The client's word that it sends this for the first time now.
    const since = { name: 'n', body: { add: 1, since: 34 } };
    for (const proposer of [1, 2]) expect((await ask(path, { ...since, proposer })).body).toMatchObject({ ver: 35, val: 35 });
  });

  it('is asked from the first write on where a key has a long past', async () => {
    const path = freshPath();
    await writeOften(path, OUTRUN);
    expect((await ask(path, { name: 'n', body: { add: 1 } })).status).toBe(410);
    expect((await ask(path, { name: 'n', body: { add: 1, since: 33 } })).body).toMatchObject({ ver: 34 });
  });

  it('is no question where a version is expected: such a write was the next one, or never will be', async () => {
    const path = freshPath();
    await writeOften(path, OUTRUN + 7);
    const put = { method: 'PUT', name: 'n', body: { ver: 40, val: 'x' } };
    for (const proposer of [1, 2]) expect((await ask(path, { ...put, proposer })).body).toMatchObject({ ver: 41, val: 'x' });
    expect((await ask(path, { method: 'PUT', name: 'm', body: { ver: 20, val: 'x' } })).status).toBe(409);
    expect((await ask(path, { method: 'PUT', name: 'm', body: { ver: 3, val: 'x' } })).status).toBe(410);
  });

  it('of a DELETE is given its since in the query', async () => {
    const path = freshPath();
    await writeOften(path, OUTRUN);
    expect((await ask(path, { method: 'DELETE', name: 'n' })).body).toMatchObject({ code: 'OutcomeForgotten', since: 33 });
    for (const proposer of [1, 2]) {
      const answer = await ask(`${path}?since=33`, { method: 'DELETE', name: 'n', proposer });
      expect(answer.body).toMatchObject({ ver: 0, deletedVer: 34 });
    }
    expect((await ask(`${path}?since=x`, { method: 'DELETE', name: 'n' })).status).toBe(400);
  });
});

describe('when nodes fail', () => {
  it('a write is found through the other proposer after a kill -9 of the one that answered, and after its start', async () => {
    const own = await Cluster.forThisTest();
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    const add = (proposer: number, name: string) => own.proposer(proposer).kv.post('a', { add: 1 }, { name });
    const first = await Promise.all(names.map((name) => add(1, name)));
    await own.proposer(1).end('SIGKILL');
    expect(await Promise.all(names.map((name) => add(2, name)))).toEqual(first);
    await own.proposer(1).start();
    expect(await Promise.all(names.map((name) => add(1, name)))).toEqual(first);
    expect(await own.proposer(1).kv.get('a')).toMatchObject({ body: { ver: 20, val: 20 } });
  });

  it('writes that lost their answer to a kill -9 are applied once, however many were under way', async () => {
    const own = await Cluster.forThisTest();
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    const add = (proposer: number, name: string) => own.proposer(proposer).kv.post('a', { add: 1 }, { name });
    const lost = Promise.allSettled(names.map((name) => add(1, name)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await own.proposer(1).end('SIGKILL');
    const answered = (await lost).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const again = await Promise.all(names.map((name) => add(2, name)));
    expect(again.every(({ ok }) => ok)).toBe(true);
    expect(again).toEqual(expect.arrayContaining(answered));
    expect(await own.proposer(2).kv.get('a')).toMatchObject({ body: { ver: 20, val: 20 } });
  });

  it.each([
    ['sixty adds', (ver: number) => ({ method: 'POST', body: { add: 1 }, name: `n-${ver}` })],
    ['sixty writes of successive versions', (ver: number) => ({ method: 'PUT', body: { ver, val: ver + 1 } })],
    ['sixty such writes with names', (ver: number) => ({ method: 'PUT', body: { ver, val: ver + 1 }, name: `n-${ver}` })],
  ])('%s at once beside an acceptor that stands still, and a stall of 0.2 s of another, leave nothing unknown', async (_, write) => {
    const own = await Cluster.forThisTest();
    const { address } = own.proposer(1);
    const sent = (ver: number): Promise<RawAnswer> => {
      const { method, body, name } = { name: undefined, ...write(ver) };
      return send(address, { method, path: '/kv/a', body, headers: name === undefined ? {} : { 'idempotency-key': JSON.stringify(name) } });
    };
    own.acceptor(3).pause();
    const answers = Array.from({ length: 60 }, (_, ver) => sent(ver));
    await new Promise((resolve) => setTimeout(resolve, 2));
    own.acceptor(2).pause();
    await new Promise((resolve) => setTimeout(resolve, 200));
    own.acceptor(2).resume();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 201)).toEqual([]);
    expect(await own.proposer(2).kv.get('a')).toMatchObject({ body: { ver: 60, val: 60 } });
    own.acceptor(3).resume();
  });
});
