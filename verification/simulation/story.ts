import type { RecordedOperation, Violation } from '../checkers/history.js';
import { addressText, simulatedParts } from './address.js';
import { outcomeText, requestText } from './client.js';
import type { Overrides, RunSettings } from './settings.js';
import type { TraceLine } from './trace.js';
import type { Report } from './world.js';

/** Of a run: all that happened, or what is about one key and what happens to nodes. */
export interface StoryOptions {
  readonly key?: string;
  readonly withMessages: boolean;
}

/** The command that does a run again. */
export function commandFor(seed: number, { scenario, operations, stopAfter, without }: Overrides, more = ''): string {
  const words = [
    `npm run simulate -- --seed ${seed}`,
    scenario && `--scenario '${scenario}'`,
    operations !== undefined && `--operations ${operations}`,
    stopAfter !== undefined && `--stop-after ${stopAfter}`,
    without && without.length > 0 && `--without ${without.join(',')}`,
    more,
  ];
  return words.filter(Boolean).join(' ');
}

/** The address at which the playground shows a run step by step, of the program that its server has. */
export function linkFor({ seed, scenario }: RunSettings, overrides: Overrides): string {
  return `/playground/#${addressText(simulatedParts(seed, { ...overrides, scenario }))}`;
}

export function settingsText(settings: RunSettings): string {
  const { seed, scenario, proposers, acceptors, clients, keys, network, without } = settings;
  const share = (of: number): string => `${(of * 100).toFixed(0)}%`;
  return [
    `seed ${seed}: ${scenario}, ${proposers} proposers, ${acceptors} acceptors, ${clients} clients, ${keys} ${keys === 1 ? 'key' : 'keys'}`,
    `messages take up to ${network.delayMs} ms; lost ${share(network.loss)}, twice ${share(network.duplication)}, ` +
      `late ${share(network.late)} by up to ${network.lateMs} ms` +
      (without.length > 0 ? `; left out: ${without.join(', ')}` : ''),
  ].join('\n');
}

/** What was done and seen, in the order in which it ended. */
export function storyLines({ history, trace }: Report, { key, withMessages }: StoryOptions): TraceLine[] {
  const operations = history.operations
    .filter((operation) => key === undefined || operation.key === key)
    .map((operation) => ({ atMs: operation.returned?.atMs ?? Infinity, text: operationText(operation) }));
  const mentionsKey = (text: string): boolean => key === undefined || new RegExp(`\\b${key}\\b`).test(text);
  const traced = trace.lines.filter(({ message, text }) => !message || (withMessages && mentionsKey(text)));
  return [...traced, ...operations].sort((a, b) => a.atMs - b.atMs).map((line) => ({ ...line, text: line.text.replaceAll(':6379', '') }));
}

/** The same, to print. */
export function storyOf(report: Report, told: StoryOptions): string[] {
  return storyLines(report, told).map(lineText);
}

export function lineText({ atMs, text }: TraceLine): string {
  return `${atMs === Infinity ? 'never' : atMs.toFixed(1).padStart(9)}  ${text}`;
}

function operationText({ client, key, request, invokedAtMs, returned }: RecordedOperation): string {
  const asked = requestText(key, request) + (request.kind === 'cas' ? ` (onto ${request.onto ?? 'nothing'})` : '');
  return `* ${client}: ${asked}: ${returned ? outcomeText(returned.outcome) : 'no answer'}  [since ${invokedAtMs.toFixed(1)}]`;
}

export function violationText({ rule, key, message }: Violation): string {
  return `VIOLATION of ${rule}${key && `, key ${key}`}: ${message}`;
}

/** How the operations of some runs ended. */
export class RunTally {
  runs = 0;
  violations = 0;
  operations = 0;
  messages = 0;
  faults = 0;
  steps = 0;
  attempts = 0;
  readonly outcomes = { read: 0, written: 0, mismatched: 0, refused: 0, unknown: 0 };

  add({ history, violations, messages, faults, steps, attempts }: Report): void {
    this.runs += 1;
    if (violations.length > 0) this.violations += 1;
    this.messages += messages;
    this.faults += faults;
    this.steps += steps;
    this.attempts += attempts;
    this.operations += history.operations.length;
    for (const { request, returned } of history.operations) {
      const kind = returned?.outcome.kind ?? 'unknown';
      this.outcomes[kind === 'state' ? (request.kind === 'get' ? 'read' : 'mismatched') : kind] += 1;
    }
  }

  toString(): string {
    const count = (number: number): string => number.toLocaleString('en');
    const outcomes = Object.entries(this.outcomes).map(([kind, number]) => `${count(number)} ${kind}`);
    return [
      `${count(this.operations)} operations: ${outcomes.join(', ')}`,
      `${count(this.messages)} messages, ${count(this.faults)} faults of nodes and links`,
      `${count(this.steps)} steps of membership change in ${count(this.attempts)} attempts`,
    ].join('\n');
  }
}
