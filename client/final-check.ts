import { NetworkError } from '../src/http/client.js';
import { sleep, type Time } from '../src/protocol/time.js';
import { isNumber, type Tally } from './ledger.js';
import type { Proposers } from './proposers.js';
import type { Random } from './random.js';
import { within } from './within.js';

/** For all keys together: time for an acceptor or a proposer to come back. */
export const READ_ALL_MS = 10_000;
/** For one request: longer than nearly every answer takes. What is not told in it is asked again, of any proposer. */
const READ_MS = 3_000;
const PAUSE_MS = 100;

/** What a key holds, or why nobody knows. */
export type FinalValue = { readonly val: unknown } | { readonly problem: string };

export interface Verdict {
  /** For people, each beginning with `# `. */
  readonly lines: readonly string[];
  /** False also where a key could not be checked: then nothing is proved. */
  readonly ok: boolean;
}

/** Reads all keys, each through any proposer, and those that fail again and again until `limitMs` are over. */
export async function readAll(
  keys: readonly string[],
  proposers: Proposers,
  random: Random,
  time: Time,
  limitMs = READ_ALL_MS,
): Promise<ReadonlyMap<string, FinalValue>> {
  const values = new Map<string, FinalValue>(keys.map((key) => [key, { problem: 'there was no time left to try' }]));
  const unread = new Set(keys);
  const deadlineMs = time.nowMs() + limitMs;
  for (;;) {
    for (const key of unread) {
      const leftMs = deadlineMs - time.nowMs();
      if (leftMs <= 0) return values;
      const value = await readOnce(key, proposers, random, time, Math.min(READ_MS, leftMs));
      if (!value) continue;
      values.set(key, value);
      if ('val' in value) unread.delete(key);
    }
    if (unread.size === 0) return values;
    await sleep(time, PAUSE_MS);
  }
}

/** Undefined where all proposers are avoided at the moment, or the time was up: what was wrong before still stands. */
async function readOnce(key: string, proposers: Proposers, random: Random, time: Time, limitMs: number): Promise<FinalValue | undefined> {
  const proposer = proposers.choose(random(), key);
  if (!proposer) return undefined;
  try {
    const answer = await within(
      time,
      limitMs,
      proposers.ask(proposer, (client) => client.get(key)),
    );
    if (!answer) {
      // It had less time than it may take: that says nothing of it.
      if (limitMs < READ_MS) return undefined;
      proposers.avoid(proposer);
      return { problem: `${proposer.called} does not answer` };
    }
    if (answer.ok) return { val: answer.body.val };
    return answer.code === 'KeyNotFound' ? { val: 0 } : { problem: `${proposer.called} answers ${answer.code}: ${answer.message}` };
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return { problem: `${proposer.called} does not answer (${error.message})` };
  }
}

/**
 * Holds what this client was told against what the keys hold now: acknowledged <= growth <= acknowledged + unknown. Where every outcome became
 * known that is an equality.
 *
 * @param tallies from before `values` were read, so that a write which is acknowledged meanwhile counts as unknown
 */
export function judge(tallies: readonly Tally[], values: ReadonlyMap<string, FinalValue>): Verdict {
  const lines = ['# final check: exact only when this client is the only writer of these keys'];
  const sum = { acknowledged: 0, growth: 0, unknown: 0 };
  const wrong = new Map<string, string[]>();
  let checked = 0;
  for (const tally of tallies) {
    const { key, acknowledged, unknown } = tally;
    const { growth, text, problem } = judgeOne(tally, values.get(key));
    lines.push(`# ${key}: ${text}`);
    if (problem !== undefined) wrong.set(problem, [...(wrong.get(problem) ?? []), key]);
    if (growth === undefined) continue;
    checked += 1;
    sum.acknowledged += acknowledged;
    sum.growth += growth;
    sum.unknown += unknown;
  }
  if (checked === 0 && wrong.size === 0) return { lines: [...lines, '# in all: NOTHING CHECKED: no key was ever read'], ok: false };
  if (sum.unknown > 0) {
    lines.push(
      `# the outcome of ${sum.unknown} write${sum.unknown === 1 ? '' : 's'} stays unknown: the keys may have grown by so much more`,
    );
  }
  const verdict = wrong.size === 0 ? 'nothing lost' : [...wrong].map(([problem, keys]) => `${problem} (${keys.join(', ')})`).join('; ');
  const figures = wrong.size === 0 ? inOrder(sum.acknowledged, sum.growth, sum.unknown) : listed(sum.acknowledged, sum.growth, sum.unknown);
  return { lines: [...lines, `# in all: ${figures}: ${verdict}`], ok: wrong.size === 0 };
}

interface Judgement {
  readonly growth?: number;
  readonly text: string;
  readonly problem?: string;
}

function judgeOne({ start, acknowledged, unknown }: Tally, value: FinalValue = { problem: 'nobody tried' }): Judgement {
  if (start === undefined) return { text: 'never read, so never written: nothing to check' };
  if ('problem' in value) {
    return { text: `COULD NOT BE READ: ${value.problem}; ${acknowledged} acknowledged, ${unknown} unknown`, problem: 'COULD NOT BE READ' };
  }
  if (!isNumber(value.val)) {
    return { text: `NOT A NUMBER: ${JSON.stringify(value.val).slice(0, 60)}: another writer was at work`, problem: 'NOT A NUMBER' };
  }
  const growth = value.val - start;
  const figures = `${listed(acknowledged, growth, unknown)} (from ${start} to ${value.val})`;
  if (growth < acknowledged) return { growth, text: `LOST UPDATES: ${figures}`, problem: 'LOST UPDATES' };
  if (growth > acknowledged + unknown) {
    const why =
      'another writer was at work, or a write was applied twice. Were other clients at work on these keys? Give this one --key-prefix mine-';
    return { growth, text: `GREW TOO MUCH: ${figures}: ${why}`, problem: 'GREW TOO MUCH' };
  }
  return { growth, text: `${inOrder(acknowledged, growth, unknown)}: OK` };
}

function inOrder(acknowledged: number, growth: number, unknown: number): string {
  return `${acknowledged} acknowledged <= ${growth} grown <= ${acknowledged} + ${unknown} unknown`;
}

function listed(acknowledged: number, growth: number, unknown: number): string {
  return `${acknowledged} acknowledged, ${growth} grown, ${unknown} unknown`;
}
