import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { tellFigures, type Watching } from './figures-program.js';
import { isInMemory } from './machine.js';
import { writeDocument } from './report/document.js';
import { linesFor } from './report/tables.js';
import { type Results, together } from './results.js';
import { runAll } from './run.js';
import { optionsFrom } from './settings.js';

const { from, json, write, ...options } = optionsFrom(process.argv.slice(2));

async function measure({ progress, signal }: Watching): Promise<Results> {
  if (await isInMemory(tmpdir())) {
    throw new Error(`${tmpdir()} is in memory, no write there waits for a disk. Give a folder on a disk: TMPDIR=/var/tmp npm run bench`);
  }
  return runAll({ ...options, progress: (text) => progress.show(text), signal });
}

function read(files: readonly string[]): Results {
  const [first, ...others] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  if (!first) throw new Error('--from needs a file');
  return together([first, ...others]);
}

await tellFigures(
  async (watching) => {
    const results = from === undefined ? await measure(watching) : read(from);
    if (write) await writeDocument(results);
    return results;
  },
  linesFor,
  json,
);
