import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replay } from './transcript-file.js';

const FOLDER = new URL('../../docs/transcripts/', import.meta.url);
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

const CLUSTER = 'cluster acceptors=3 prepare=2 accept=2\n----\n';

describe('the transcripts', () => {
  it('are all listed on their page, which lists no others', () => {
    const page = readFileSync(new URL('README.md', FOLDER), 'utf8');
    expect([...page.matchAll(/\]\((\S+\.txt)\)/g)].map(([, name]) => name).sort()).toEqual(NAMES.sort());
    expect(NAMES).not.toEqual([]);
  });

  // UPDATE_TRANSCRIPTS=1 writes what comes out now. Then read the difference: it is what changed in the protocol.
  it.each(NAMES)('%s comes out as written', async (name) => {
    const file = new URL(name, FOLDER);
    const text = readFileSync(file, 'utf8');
    const replayed = await replay(text);
    if (process.env['UPDATE_TRANSCRIPTS']) writeFileSync(file, replayed);
    else expect(replayed).toBe(text);
  });

  it.each([
    ['a command that is not known', `${CLUSTER}\np1 put k 0 "red"\n----`, 'line 4: unknown command'],
    ['a command of the control node that is not known', `${CLUSTER}\ncontrol add-learner all a1 1\n----`, 'line 4: unknown command'],
    ['a node that is not there', `${CLUSTER}\np9 get k\n----`, 'line 4: there is no proposer p9'],
    ['a step without a line to end its commands', `${CLUSTER}\np1 get k`, 'line 4: neither prose nor a step'],
    ['prose within a step', `${CLUSTER}\np1 get k\n----\n# Once upon a time`, 'line 4: prose needs an empty line'],
    ['a step that brings nothing out', `${CLUSTER}\nhold p1 -> a1 *\n----`, 'line 4: this step brings nothing out'],
    ['a message that was to be lost and never came', `${CLUSTER}\nlose p2 -> a1 read\np1 get k\n----`, 'line 4: no such message was sent'],
    ['a message that was to be held and never came', `${CLUSTER}\nhold p2 -> a1 read\np1 get k\n----`, 'no such message was sent'],
    ['an operation without an outcome', `${CLUSTER}\nlose p1 -> a1,a2 read\np1 get k\n----`, 'still without an outcome: p1 get k'],
    ['a variant that is not known', 'variant no rule at all\n----', 'line 1: there is no variant: no rule at all'],
    ['a variant that comes later', `${CLUSTER}\nvariant accept ignores the promise\n----`, 'line 4: a variant is a step of its own'],
    ['prose alone', '# Once upon a time', 'there is no step'],
  ])('cannot have %s', async (_what, text, message) => {
    await expect(replay(text)).rejects.toThrow(message);
  });
});
