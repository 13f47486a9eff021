/**
 * Loaded into a proposer before its program: names as they are looked up on a machine without a name server. Four can be under way at a time, as in Node;
 * those that the file DEAD_NAMES lists take long, and hold a place as long as that; all others are on this machine.
 */
import dns from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const PLACES = 4;
const DEAD_TAKES_MS = 10_000;
const HERE = { address: '127.0.0.1', family: 4 };
const deadNames = String(process.env['DEAD_NAMES']);
/** @type {(() => void)[]} */
const waiting = [];
let underWay = 0;

/** @type {(name: string, done: (isDead: boolean) => void) => void} */
function lookUp(name, done) {
  if (underWay === PLACES) {
    waiting.push(() => lookUp(name, done));
    return;
  }
  underWay += 1;
  const isDead = existsSync(deadNames) && readFileSync(deadNames, 'utf8').split('\n').includes(name);
  const end = () => {
    underWay -= 1;
    waiting.shift()?.();
    done(isDead);
  };
  setTimeout(end, isDead ? DEAD_TAKES_MS : 1);
}

/** @type {(name: string) => Error} */
const notFound = (name) => new Error(`getaddrinfo EAI_AGAIN ${name}`);

/** With options or without, as a connection and a server that listens call it. @type {(name: string, ...rest: unknown[]) => void} */
function lookup(name, ...rest) {
  const [options, callback] = rest.length > 1 ? rest : [{}, rest[0]];
  if (typeof callback !== 'function') throw new TypeError('a lookup has a callback');
  const found = typeof options === 'object' && options !== null && 'all' in options && options.all ? [[HERE]] : [HERE.address, HERE.family];
  lookUp(name, (isDead) => void Reflect.apply(callback, undefined, isDead ? [notFound(name)] : [null, ...found]));
}
/** @type {(name: string) => Promise<object>} */
const lookupLater = (name) =>
  new Promise((resolve, reject) => lookUp(name, (isDead) => (isDead ? reject(notFound(name)) : resolve([HERE]))));

Object.assign(dns, { lookup });
Object.assign(dns.promises, { lookup: lookupLater });
syncBuiltinESMExports();
