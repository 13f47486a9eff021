/**
 * Preloaded into a proposer: SIGKILL at one of the calls by which it reads and writes its state folder. Which one, the environment says:
 * - KILL_FROM: counting begins with the first call whose path ends in this
 * - KILL_AT: the number of the call, from 1
 * - KILL_WHEN: `before` the call, or `half-way`: when half of a file's content is written; for all other calls, after them
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const from = String(process.env['KILL_FROM']);
const at = Number(process.env['KILL_AT']);
const isBefore = process.env['KILL_WHEN'] === 'before';
const names = /** @type {const} */ ([
  'mkdirSync',
  'openSync',
  'readFileSync',
  'writeFileSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
  'rmSync',
]);
let count = 0;
let isCounting = false;

function die() {
  for (;;) process.kill(process.pid, 'SIGKILL');
}

for (const name of names) {
  /** @type {(...args: unknown[]) => unknown} */
  const original = Reflect.get(fs, name);
  Reflect.set(fs, name, (/** @type {unknown[]} */ ...args) => {
    isCounting ||= typeof args[0] === 'string' && args[0].endsWith(from);
    if (isCounting) count += 1;
    const isTheOne = isCounting && count === at;
    if (isTheOne && isBefore) die();
    if (isTheOne && name === 'writeFileSync') {
      const [file, content] = [Number(args[0]), String(args[1])];
      fs.writeSync(file, content.slice(0, content.length / 2));
      die();
    }
    const result = original(...args);
    if (isTheOne) die();
    return result;
  });
}
syncBuiltinESMExports();
