import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/*
 * Runs the program beside this file, `NAME.code` where this one is `NAME.mjs`, with what V8 compiled of it when it ran before: the first run
 * that ends by itself leaves that for all others. What another version of V8 has left is of no use, and does no harm.
 */
const here = fileURLToPath(import.meta.url);
const code = here.replace(/\.mjs$/, '.code');
const cache = `${code}.cache`;

let cachedData;
try {
  cachedData = readFileSync(cache);
} catch {
  process.on('exit', () => {
    writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
    renameSync(`${cache}.${process.pid}`, cache);
  });
}
// All of it is ASCII.
const script = new Script(readFileSync(code, 'latin1'), { filename: code, cachedData });
// What a module of CommonJS expects around it.
Object.assign(globalThis, { require: createRequire(here), __filename: here });
script.runInThisContext();
