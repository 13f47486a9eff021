import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from './sender.js';

const lua = (name: string): string => readFileSync(createRequire(import.meta.url).resolve(`#acceptor/${name}.lua`), 'utf8');

/**
 * A server whose memory is full runs a script that begins so; of a register that holds a value, and that is to become smaller, it loses no room by
 * that. One that is absent would take some.
 */
const FREEING = `#!lua flags=allow-oom
  if (redis.call('HMGET', KEYS[1], 'value')[1] or '') == '' then return redis.error_reply('OOM there is nothing to free') end
`;

/**
 * A write that a server refuses for every reason for which it refuses an accept, and that changes nothing where it is let through: the identity is a
 * string, and no hash. The argument takes as much room as the largest value.
 */
export const TRY_WRITE = `
  if redis.call('GET', KEYS[1]) then return redis.call('HSET', KEYS[1], 'value', ARGV[1]) end
`;
export const LARGE = ' '.repeat(64 * 1024);

/** Each is run with the register, the identity and the floor as keys. */
export const PREPARE = new Script(lua('prepare'), 3);
export const ACCEPT = new Script(lua('accept'), 3);
/** The same scripts, run although the memory is full, see {@link FREEING}. */
export const FREEING_PREPARE = new Script(FREEING + lua('prepare'), 3);
export const FREEING_ACCEPT = new Script(FREEING + lua('accept'), 3);

/** For a client that greets, see `GreetingRedis`. */
export const GREETING_SCRIPTS = { casGreet: { numberOfKeys: 5, lua: lua('greet') } };
