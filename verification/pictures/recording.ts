import type { RecordedOperation } from '../checkers/history.js';
import type { Simulated } from '../simulation/address.js';
import { outcomeText, requestText } from '../simulation/client.js';
import { commandFor, lineText, settingsText, storyLines, violationText } from '../simulation/story.js';
import type { TraceLine } from '../simulation/trace.js';
import { type Report, SimulatedWorld } from '../simulation/world.js';
import { type HistoryVerdict, judge } from '../checkers/judge.js';
import { acceptorSight, proposerSight } from './sights.js';
import type { BarSight, Flight, StageView } from './view.js';

/** A run of the simulation from its beginning to its end: what happened, line by line, as far as it is about one key. */
export interface Recorded {
  readonly simulated: Simulated;
  readonly report: Report;
  readonly key: string;
  readonly lines: readonly TraceLine[];
  /** Its messages, as if all was over. */
  readonly flights: readonly Flight[];
}

/** @param report of a run that was traced @param simulated what it was made of, and the key to look at: if none is given, the first that shows a violation */
export function recordedOf(report: Report, simulated: Simulated): Recorded {
  const { keys } = report.history;
  const found = report.violations.map((violation) => violation.key);
  const key = [simulated.key, ...found, ...keys].find((each) => each !== undefined && keys.includes(each)) ?? '';
  const lines = storyLines(report, { key, withMessages: true });
  return { simulated, report, key, lines, flights: lines.flatMap((line, index) => flightOf(line, index + 1, lines)) };
}

/** A run of the simulation at one of its moments: the same world, gone on with so far. It can be looked at, and nothing in it moved. */
export class Recording {
  /** What happens in it, and when. */
  readonly choices: readonly string[];
  readonly #recorded: Recorded;
  readonly #world: SimulatedWorld;
  #at = 0;

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
    this.choices = recorded.lines.map((line) => {
      const [atMs = '', ...words] = lineText(line).trim().split('  ');
      return `${atMs} ms  ${words.join('  ').replace(' -> ', ' → ')}`;
    });
    this.#world = new SimulatedWorld(recorded.report.settings, false);
    void this.#world.live();
  }

  get operations(): RecordedOperation[] {
    return this.#world.history.of(this.#recorded.key);
  }

  /** Goes on to the next line. */
  apply(): Promise<void> {
    return this.go(this.#at + 1);
  }

  /** Goes on until so many lines have happened, and all with the last one. */
  async go(at: number): Promise<void> {
    const { lines } = this.#recorded;
    this.#at = Math.min(at, lines.length);
    const untilMs = lines.slice(0, this.#at).findLast(({ atMs }) => Number.isFinite(atMs))?.atMs ?? 0;
    await this.#world.time.advanceTo(untilMs);
  }

  view(): StageView {
    const { report, key, lines, flights, simulated } = this.#recorded;
    const at = this.#at;
    const known = flights.filter(({ sentAt }) => sentAt <= at).map((flight) => asOf(flight, at));
    const isDrawn = (name: string): boolean => /^[ap]\d|^control/.test(name);
    return {
      proposers: this.#world.proposers.map((node) => {
        const { name, prepare, accept, ...rest } = proposerSight(node, false);
        const named = ({ nodes, quorum }: typeof prepare): typeof prepare => ({ nodes: nodes.map(short), quorum });
        return { ...rest, name: short(name), prepare: named(prepare), accept: named(accept) };
      }),
      acceptors: this.#world.acceptors.map((node) => ({ ...acceptorSight(node, key, false), name: short(node.name) })),
      parcels: known.flatMap((flight) =>
        flight.endedAt === undefined && isDrawn(flight.from) && isDrawn(flight.to) ? [{ ...flight, isPassable: true }] : [],
      ),
      flights: known,
      bars: this.operations.map((operation) => barOf(operation, lines)),
      key,
      beginning: settingsText(report.settings).split('\n'),
      moves: this.choices.slice(0, at).map((choice, index) => {
        const { text = '', message } = lines[index] ?? {};
        return { choice, lines: [choice], ...(!message && !text.startsWith('* ') && { event: text }) };
      }),
      verdict: this.#verdict(),
      nextVer: 0,
      isBusy: false,
      recorded: {
        command: commandFor(report.settings.seed, simulated, '--trace'),
        keys: report.history.keys,
        violated: report.violations.map(({ rule }) => rule),
      },
    };
  }

  /** Of the history so far; in the end what the simulation says, which has then read every key. */
  #verdict(): HistoryVerdict {
    const { operations } = this;
    const { report, key, lines } = this.#recorded;
    const { history, monitor } = this.#world;
    const verdict = judge({ operations, keys: [key], of: () => operations, collectedFrom: history.collectedFrom }, monitor);
    const [first] = report.violations;
    if (this.#at < lines.length || !first) return verdict;
    return { ...verdict, isSound: false, order: [], rule: first.rule, message: report.violations.map(violationText).join('. ') };
  }
}

function flightOf({ atMs, text, message }: TraceLine, endedAt: number, lines: readonly TraceLine[]): Flight[] {
  if (!message) return [];
  const [from, to] = [short(message.from), short(message.to)];
  const { kind, sentAtMs, isLost } = message;
  const isReply = from.startsWith('a');
  const said = text.replace(/^\S+ -> \S+ +/, '');
  const label = isReply ? (/\b(promised|accepted|refused|holds)\b/.exec(said)?.[0] ?? 'answer') : kind;
  // What was sent in the moment of a line was sent because of it.
  const sentAt = atMs === sentAtMs ? endedAt : lineAt(sentAtMs, lines);
  return [{ number: endedAt, from, to, kind, text: said, label, isReply, isAgain: said.includes('(again)'), sentAt, endedAt, isLost }];
}

/** What is known of a message when so many lines have happened. */
function asOf(flight: Flight, at: number): Flight {
  if ((flight.endedAt ?? Infinity) <= at) return flight;
  const { number, from, to, kind, text, label, isReply, isAgain, sentAt } = flight;
  return { number, from, to, kind, text, label, isReply, isAgain, sentAt };
}

/** How many lines have happened by then. */
function lineAt(atMs: number, lines: readonly TraceLine[]): number {
  const next = lines.findIndex((line) => line.atMs > atMs);
  return next < 0 ? lines.length : next;
}

function barOf({ client, key, request, invokedAt, invokedAtMs, returned }: RecordedOperation, lines: readonly TraceLine[]): BarSight {
  return {
    client,
    text: requestText(key, request),
    answer: returned && outcomeText(returned.outcome),
    from: invokedAt,
    to: returned?.at,
    isWrite: request.kind !== 'get',
    outcome: returned?.outcome.kind,
    beganAt: lineAt(invokedAtMs, lines),
    endedAt: returned && lineAt(returned.atMs, lines),
  };
}

/** As the stage calls its nodes: `acceptor-2:6379` is a2. */
function short(name: string): string {
  return name.replace(/^(a|p)\w*-(\d+).*/, '$1$2').replace(/^operator-\d+$/, 'control');
}
