import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { fileToWrite } from '../../../node-control/terminal/file-argument.js';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'file argument '));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('takes a file that is there, and one that is not, and makes none', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'old'), 'old');
  for (const name of ['old', 'new']) expect(fileToWrite(join(folder, name))).toBe(join(folder, name));
  expect(readdirSync(folder)).toEqual(['old']);
  expect(fileToWrite('beside.svg')).toBe('beside.svg');
});

it('says what is in the way, and what to do, before anything was worked for', () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  for (const [name, why] of [
    ['missing/a.svg', /There is no folder .*missing: make it first/],
    ['file/a.svg', /file is no folder/],
    ['', /It is a folder: name a file in it/],
  ] as const) {
    expect(() => fileToWrite(join(folder, name))).toThrow(InvalidArgumentError);
    expect(() => fileToWrite(join(folder, name))).toThrow(why);
  }
});

it.skipIf(process.getuid?.() === 0)('says so where it may not write', () => {
  const folder = newFolder();
  chmodSync(folder, 0o500);
  expect(() => fileToWrite(join(folder, 'a.svg'))).toThrow(/may not be written to/);
});
