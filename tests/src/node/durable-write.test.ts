import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StateFolder } from '../../../src/node/state-folder.js';
import { EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';

const calls = vi.hoisted(() => [] as string[]);

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const names = new Map<number, string>();
  return {
    ...fs,
    openSync: (path: string, flags: string) => {
      const file = fs.openSync(path, flags);
      names.set(file, path);
      return file;
    },
    fsyncSync: (file: number) => {
      calls.push(`fsync ${names.get(file)}`);
      fs.fsyncSync(file);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${from} ${to}`);
      fs.renameSync(from, to);
    },
  };
});

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'state-'))));
afterEach(() => rmSync(folder, { recursive: true }));

it('a configuration survives a power cut from the moment it is saved: content, then name, then the entry in the folder', () => {
  const state = new StateFolder(folder);
  calls.length = 0;
  state.saveConfiguration(EMPTY_CONFIGURATION);
  const short = calls.map((call) => call.replaceAll(`${folder}/`, '').replace(folder, basename(folder)));
  const copy = short[0]?.replace('fsync ', '');
  expect(short).toEqual([`fsync ${copy}`, `rename ${copy} configuration.json`, `fsync ${basename(folder)}`]);
});
