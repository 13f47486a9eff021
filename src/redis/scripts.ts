import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { GreetingRedis } from './greeter.js';

type Keys = readonly [register: string, identityKey: string, floorKey: string];
type CasPrepare = (...keysAndArguments: [...keys: Keys, ballot: string, identity: string]) => Promise<string[]>;
type CasAccept = (...keysAndArguments: [...keys: Keys, ballot: string, value: string, next: string, identity: string]) => Promise<string[]>;

/** A client that knows the scripts of `acceptor/`. */
export interface ScriptedRedis extends GreetingRedis {
  casPrepare: CasPrepare;
  casAccept: CasAccept;
  /** The same scripts, run although the memory is full, see {@link FREEING}. */
  freeingPrepare: CasPrepare;
  freeingAccept: CasAccept;
}

const script = (name: string, numberOfKeys = 3, head = ''): { numberOfKeys: number; lua: string } => ({
  numberOfKeys,
  lua: head + readFileSync(createRequire(import.meta.url).resolve(`#acceptor/${name}.lua`), 'utf8'),
});

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

export const SCRIPTS = {
  casPrepare: script('prepare'),
  casAccept: script('accept'),
  freeingPrepare: script('prepare', 3, FREEING),
  freeingAccept: script('accept', 3, FREEING),
  casGreet: script('greet', 5),
};
