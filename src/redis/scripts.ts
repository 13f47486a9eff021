import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { GreetingRedis } from './greeter.js';

/** A client that knows the scripts of `acceptor/`. */
export interface ScriptedRedis extends GreetingRedis {
  casPrepare(register: string, identityKey: string, floorKey: string, ballot: string, identity: string): Promise<string[]>;
  casAccept(
    ...keysAndArguments: [...keys: [string, string, string], ballot: string, value: string, next: string, identity: string]
  ): Promise<string[]>;
}

const script = (name: string, numberOfKeys = 3): { numberOfKeys: number; lua: string } => ({
  numberOfKeys,
  lua: readFileSync(createRequire(import.meta.url).resolve(`#acceptor/${name}.lua`), 'utf8'),
});

/**
 * A write that a server refuses for every reason for which it refuses an accept, and that changes nothing where it is let through: the identity is a
 * string, and no hash. The argument takes as much room as the largest value.
 */
export const TRY_WRITE = `
  if redis.call('GET', KEYS[1]) then return redis.call('HSET', KEYS[1], 'value', ARGV[1]) end
`;
export const LARGE = ' '.repeat(64 * 1024);

export const SCRIPTS = { casPrepare: script('prepare'), casAccept: script('accept'), casGreet: script('greet', 5) };
