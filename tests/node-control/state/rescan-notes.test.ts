import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { RescanFile } from '../../../node-control/state/rescan-notes.js';

it('a rescan that is done ends well though what the one before noted cannot be removed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // As on a disk that takes no writes, also for root.
  mkdirSync(join(folder, 'rescan.json'));
  const notes = new RescanFile(folder);
  expect(() => notes.clear()).not.toThrow();
  expect(notes.load()).toBeUndefined();
});
