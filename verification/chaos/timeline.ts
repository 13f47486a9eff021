import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import type { ClientOutcome, Request } from '../checkers/history.js';
import { type FaultSpan, overlap } from './availability.js';
import { describeFault, isLink } from './fault.js';

const SECOND_MS = 1_000;
const CELL = 6;
const LINKS = 14;
/** Those that faults befall. */
const NODES = [...ACCEPTORS, ...PROPOSERS];

/** What the clients were told in one second. */
export interface ToldInSecond {
  reads: number;
  writes: number;
  unknown: number;
}

export interface Second {
  /** Since the start. */
  readonly number: number;
  readonly counts: ToldInSecond;
  /** Whether it must show a successful write. */
  readonly demanded: boolean;
  /** Where the operator is. */
  readonly step: string;
  readonly faults: readonly FaultSpan[];
}

/** Counts operations by the second of their end. */
export class Throughput {
  readonly #seconds: ToldInSecond[] = [];
  readonly total: ToldInSecond = { reads: 0, writes: 0, unknown: 0 };

  add(elapsedMs: number, request: Request, outcome: ClientOutcome): void {
    for (const counts of [this.of(Math.floor(elapsedMs / SECOND_MS)), this.total]) {
      if (outcome.kind === 'written') counts.writes += 1;
      else if (request.kind === 'get') counts.reads += outcome.kind === 'state' ? 1 : 0;
      else if (outcome.kind === 'unknown') counts.unknown += 1;
    }
  }

  of(second: number): ToldInSecond {
    return (this.#seconds[second] ??= { reads: 0, writes: 0, unknown: 0 });
  }
}

export function isSilent({ demanded, counts }: Pick<Second, 'demanded' | 'counts'>): boolean {
  return demanded && counts.writes === 0;
}

/** The line above all others. */
export function timelineHeader(): string {
  const nodes = NODES.map((node) => short(node).padEnd(CELL)).join('');
  return `second ${nodes}${'links'.padEnd(LINKS)}  reads writes need unknown  step and faults`;
}

/** One second for people. @param alarm marks what must not be */
export function timelineLine(second: Second, alarm: (text: string) => string): string {
  const { number, counts, demanded, step, faults } = second;
  const span = { fromMs: number * SECOND_MS, untilMs: (number + 1) * SECOND_MS };
  const now = faults.filter((fault) => overlap(fault, span));
  const nodes = NODES.map((node) => (now.find(({ target }) => target === node)?.kind ?? '.').padEnd(CELL)).join('');
  const links = now.filter(({ target }) => isLink(target)).map(({ target }) => target.split('~').map(short).join('~'));
  const marks = faults
    .filter(({ kind }) => kind !== 'stall')
    .flatMap((fault) => [
      ...(within(fault.fromMs, span) ? [`+ ${describeFault(fault)}`] : []),
      ...(within(fault.untilMs, span) ? [`- ${describeFault(fault)}`] : []),
    ]);
  const stalled = now.some(({ kind }) => kind === 'stall') ? ['the disk stalls'] : [];
  const figures = [
    String(counts.reads).padStart(6),
    String(counts.writes).padStart(6),
    (demanded ? '*' : '').padStart(4),
    String(counts.unknown || '').padStart(7),
  ].join(' ');
  const line = `${String(number).padStart(6)} ${nodes}${links.join(' ').padEnd(LINKS)} ${figures}  ${[step, ...stalled, ...marks].join('; ')}`;
  return isSilent(second) ? alarm(`${line}; NO WRITE`) : line;
}

function within(moment: number | undefined, { fromMs, untilMs }: { fromMs: number; untilMs: number }): boolean {
  return moment !== undefined && moment >= fromMs && moment < untilMs;
}

/** `a1` for acceptor-1. */
function short(node: string): string {
  return `${node.slice(0, 1)}${node.slice(-1)}`;
}
