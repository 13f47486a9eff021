import { execFileSync } from 'node:child_process';
import { sendBytes } from './raw-http.js';

const AT_ONCE = 50;
/** For an answer, where a request may be one that is not over yet. */
const PATIENCE_MS = 50;

/** Sends requests, each on a connection of its own, and looks at what comes back: "" where the connection was closed on us. */
export async function attack(
  address: string,
  count: number,
  request: (number: number) => string,
  look: (answer: string, sent: string) => void = () => undefined,
): Promise<void> {
  const some = async (from: number): Promise<void> => {
    for (let number = from; number < from + count / AT_ONCE; number += 1) {
      const sent = request(number);
      look(await sendBytes(address, sent, PATIENCE_MS).catch(() => ''), sent);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => some(index * 1_000_003)));
}

/** The resident memory of a process in MiB. */
export function memoryMib(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

interface Chance {
  readonly random: (below: number) => number;
  readonly pick: (...choices: string[]) => string;
  readonly noise: (length: number) => string;
}

/** Choices that depend on the number alone. */
function chanceFrom(number: number): Chance {
  let state = number >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return {
    random,
    pick: (...choices) => choices[random(choices.length)] ?? '',
    noise: (length) => Array.from({ length }, () => String.fromCharCode(random(256))).join(''),
  };
}

/** Of ten, one is cut off somewhere. */
function maybeCut(whole: string, { random }: Chance): string {
  return random(10) === 0 ? whole.slice(0, random(whole.length)) : whole;
}

/** A request that depends on the number alone; few of them are well-formed. */
export function malformedHttp(number: number): string {
  const chance = chanceFrom(number);
  const { random, pick, noise } = chance;
  const path = pick(
    '/',
    '/kv/',
    '/kv/a',
    `/kv/${noise(20)}`,
    '/kv/%',
    '/kv/%ff%fe',
    '/kv/..%2f',
    '/configuration',
    '/rescan',
    '/identity',
    '/keys?key=%',
    `/keys?key=${noise(20)}`,
    '/uplot/..%2f..%2fpackage.json',
    `/${'a'.repeat(random(9_000))}`,
  );
  const body = pick(
    '',
    '{',
    '[]',
    'null',
    '{"ver":0}',
    '{"ver":-1,"val":1}',
    '{"__proto__":{"a":1}}',
    '['.repeat(5_000),
    `{"era":1,"keys":[${'"a",'.repeat(20)}1]}`,
    noise(200),
  );
  const length = pick(
    '',
    `Content-Length: ${body.length}\r\n`,
    `Content-Length: ${body.length + random(9)}\r\n`,
    'Content-Length: -1\r\n',
    'Content-Length: 1e3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
  );
  const type = pick(
    '',
    'Content-Type: application/json\r\n',
    'Content-Type: application/json; charset=utf-7\r\n',
    'Content-Encoding: gzip\r\n',
    'Prefer: wait=0\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    `${noise(10)}\r\n`,
  );
  const method = pick('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', noise(4));
  const version = pick('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', '');
  const whole = `${method} ${path} ${version}\r\nHost: a\r\n${type}${length}Connection: close\r\n\r\n${body}`;
  return maybeCut(whole, chance);
}

/** As {@link malformedHttp}, for a Redis, of a user that may do what a proposer may. */
export function malformedRedis(number: number): string {
  const chance = chanceFrom(number);
  const { random, pick, noise } = chance;
  const command = (...words: string[]): string => `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  const count = pick('-1', '0', '1', '3', '1000000', '99999999999', '1e3', 'x', '');
  const length = pick('-1', '0', '3', '16385', '536870911', '99999999999', 'x', '');
  const whole = pick(
    noise(random(100)),
    `${noise(20)}\r\n`,
    `*${count}\r\n$${length}\r\n${noise(random(50))}\r\n`,
    `*2\r\n$3\r\nGET\r\n$${length}\r\n${noise(random(50))}`,
    'x'.repeat(70_000),
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    command(noise(10), noise(10)),
    command('HELLO', pick('9', '-1', 'x')),
    command('AUTH', noise(5), noise(5)),
    command('INFO', noise(10)),
    command(pick('GET', 'HMGET', 'HSET', 'EVAL', 'EVALSHA', 'CLUSTER')),
    command(pick('GET', 'HMGET', 'HSET'), pick('r:absent', 'identity', noise(10)), pick('', noise(10))),
    command('HMGET', `r:${noise(200)}`, 'promise'),
    command(
      'EVAL',
      pick('return', "error('no')", "redis.call('NONE')", "return redis.call('FLUSHALL')", noise(30)),
      pick('0', '1', '-1', 'x'),
    ),
    command('EVALSHA', '0'.repeat(40), '1', 'r:absent'),
  );
  return maybeCut(whole, chance);
}
