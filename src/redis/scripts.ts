import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from './sender.js';

const lua = (name: string): string => readFileSync(createRequire(import.meta.url).resolve(`#acceptor/${name}.lua`), 'utf8');

/** A tombstone may be longer than the small value in whose place it comes: by the record of the write, and what else a register says of itself. */
const GROWTH_MAX_BYTES = 1024;

/**
 * A server whose memory is full runs a script that begins so; of a register that holds a value, and that is to become smaller or to stay as it is, it
 * loses no room by that. One that is absent would take some, and so would one that is behind and is brought a longer value.
 * @param longest in Lua: how long the value may be that it holds after that
 */
const freeing = (longest: string): string => `#!lua flags=allow-oom
  local held = redis.call('HMGET', KEYS[1], 'value')[1] or ''
  if held == '' or ${longest} > #held + ${GROWTH_MAX_BYTES} then return redis.error_reply('OOM there is nothing to free') end
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
/** The same scripts, run although the memory is full, see {@link freeing}. */
export const FREEING_PREPARE = new Script(freeing('0') + lua('prepare'), 3);
export const FREEING_ACCEPT = new Script(freeing('#ARGV[2]') + lua('accept'), 3);

/** For a client that greets, see `GreetingRedis`. */
export const GREETING_SCRIPTS = {
  casGreet: { numberOfKeys: 5, lua: lua('greet') },
  casGreetFull: { numberOfKeys: 5, lua: `#!lua flags=allow-oom\n${lua('greet')}` },
};
