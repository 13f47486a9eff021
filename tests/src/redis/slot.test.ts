import { afterAll, beforeAll, expect, it } from 'vitest';
import { slotOf } from '../../../src/redis/slot.js';
import { freePort, RedisServer } from '../../redis-server.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())]);
});
afterAll(() => server.stop());

it('the slot of a key is the one that a server says, whatever braces it has', async () => {
  const pieces = ['', 'a', '{', '}', '{}', '{b}', 'ü', '\u{1f600}', '\0'];
  const keys = pieces.flatMap((one) => pieces.flatMap((two) => pieces.map((three) => `r:${one}${two}${three}c`)));
  const told = await server.ask((redis) => Promise.all(keys.map((key) => redis.cluster('KEYSLOT', key))));
  expect(keys.map(slotOf)).toEqual(told);
});
