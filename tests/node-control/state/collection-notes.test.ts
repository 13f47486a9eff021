import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CollectionFile } from '../../../node-control/state/collection-notes.js';

it('what cannot be noted of a collection leaves nothing behind', () => {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // The copy is written, and cannot be put in place: on a full disk it is empty.
  mkdirSync(join(folder, 'collections.json/taken'), { recursive: true });
  new CollectionFile(folder).add({ removed: 1, era: 2 });
  expect(readdirSync(folder)).toEqual(['collections.json']);
});
