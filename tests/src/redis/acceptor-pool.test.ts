import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AcceptorPool } from '../../../src/redis/acceptor-pool.js';
import { linkLog } from '../../../proposer/link-log.js';
import { addressesFrom } from '../../../src/node/addresses.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';
import { RedisServer } from '../../redis-server.js';

/** How long a pool waits for connections, unless it is told otherwise. */
const CONNECT_WAIT_MS = 500;
const NAME = 'acceptor-1:6379';
const [ME, OTHER] = [`${NAME}#me`, `${NAME}#other`];

let server: RedisServer;
let second: RedisServer;
let pool: AcceptorPool;
let log: string[];

beforeAll(async () => {
  [server, second] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  for (const each of [server, second]) await each.ask((redis) => redis.set('identity', ME));
});
afterAll(() => Promise.all([server.stop(), second.stop()]));
beforeEach(() => {
  log = [];
  const lines = {
    write(line: string): void {
      const { msg } = JSON.parse(line) as { msg: string };
      // A server that has just started may be asked while it still reads its file, or not.
      if (!msg.includes('still reads its file')) log.push(msg);
    },
  };
  pool = new AcceptorPool({
    addresses: addressesFrom({ [NAME]: server.address, 'renamed:6379': second.address }),
    onLink: linkLog(pino({}, lines)),
  });
});
afterEach(() => pool.retain(EMPTY_CONFIGURATION));

function configurationWith(identity?: string, name = NAME): Configuration {
  const set = { nodes: [name], quorum: 1 };
  return { era: 1, prepare: set, accept: set, ...(identity !== undefined && { identities: { [name]: identity } }) };
}

/** Without the one that asks. */
async function connections(to = server): Promise<number> {
  const list = await to.ask((redis) => redis.call('CLIENT', 'LIST', 'TYPE', 'normal'));
  return String(list).trim().split('\n').length - 1;
}

it('one connection for each acceptor is kept, through every change of who it is, and none of those before', async () => {
  for (const identity of [undefined, ME, OTHER, ME, undefined, OTHER]) {
    await pool.connect(configurationWith(identity));
    pool.retain(configurationWith(identity));
    await expect.poll(connections).toBe(1);
    expect(pool.get(NAME, identity).state).toBe(identity === OTHER ? 'stranger' : 'ready');
    await expect.poll(connections).toBe(1);
  }
  pool.retain(EMPTY_CONFIGURATION);
  await expect.poll(connections).toBe(0);
});

it('a change that is refused leaves the connection that there was', async () => {
  await pool.connect(configurationWith(ME));
  const before = pool.get(NAME, ME);
  await pool.connect(configurationWith(OTHER));
  pool.retain(configurationWith(ME));
  expect(pool.get(NAME, ME)).toBe(before);
  expect(before.state).toBe('ready');
  await expect.poll(connections).toBe(1);
});

it('one that is asked for again after its connection was closed gets another one', async () => {
  for (const close of [() => pool.retain(EMPTY_CONFIGURATION), () => pool.close()]) {
    await pool.connect(configurationWith(ME));
    const before = pool.get(NAME, ME);
    expect(pool.get(NAME, ME)).toBe(before);
    close();
    expect(pool.get(NAME, ME)).not.toBe(before);
  }
});

it('an acceptor under another name is asked at the address of that name', async () => {
  await pool.connect(configurationWith(ME));
  await pool.connect(configurationWith(ME, 'renamed:6379'));
  pool.retain(configurationWith(ME, 'renamed:6379'));
  await expect.poll(() => connections(second)).toBe(1);
  await expect.poll(connections).toBe(0);
  expect(await pool.missing(configurationWith(ME, 'renamed:6379'))).toEqual([]);
});

it('a stranger is waited for no longer, is named, makes no quorum, and is logged once', async () => {
  const configuration = configurationWith(OTHER);
  let quickestMs = Infinity;
  // A busy machine may be late once.
  for (const identity of ['1', '2', '3'].map((suffix) => OTHER + suffix)) {
    const startedAt = performance.now();
    await pool.connect(configurationWith(identity));
    quickestMs = Math.min(quickestMs, performance.now() - startedAt);
    pool.retain(EMPTY_CONFIGURATION);
  }
  expect(quickestMs).toBeLessThan(CONNECT_WAIT_MS);
  log.length = 0;
  await pool.connect(configuration);
  expect(pool.strangers(configuration)).toEqual([NAME]);
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await pool.missing(configuration)).toEqual([NAME]);
    await expect(pool.get(NAME, OTHER).read('k')).rejects.toThrow(/not acceptor-1:6379#other/);
    await pool.connect(configuration);
  }
  expect(log).toEqual([expect.stringMatching(/lost its data or is another one, and is not used; run-control.sh status/)]);
  expect(pool.strangers(configurationWith(ME))).toEqual([]);
});

it('the log says of each acceptor when it connected, went away and came back, and nothing of one that is no longer needed', async () => {
  const configuration = configurationWith(ME, 'renamed:6379');
  await pool.connect(configuration);
  await second.kill9();
  await expect.poll(() => log).toContain('acceptor went away');
  await second.start();
  await expect.poll(() => log, { timeout: 5_000 }).toEqual(['acceptor connected', 'acceptor went away', 'acceptor came back']);
  pool.retain(EMPTY_CONFIGURATION);
  await expect.poll(() => connections(second)).toBe(0);
  expect(log).toHaveLength(3);
});
