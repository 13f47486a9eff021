import { piecesOf } from '../../verification/transcripts/transcript-text.js';
import { SWITCHES } from '../levels/switches.js';
import type { Stage } from '../stage/stage.js';
import type { ParcelSight } from '../../verification/pictures/view.js';

/** One step of a story. */
export interface LadderStep {
  /** What the transcript says before it, by paragraphs. */
  readonly prose: readonly string[];
  readonly commands: readonly string[];
  /** What the transcript says comes out. */
  readonly output: readonly string[];
  readonly cluster: string;
  /** The rule that is broken in the whole story, if one is. */
  readonly off: readonly string[];
  /** All since the cluster was made, this step's as well; those before it are so many. */
  readonly choices: readonly string[];
  readonly begunAt: number;
}

export interface Story {
  readonly title: string;
  readonly steps: readonly LadderStep[];
}

/** The transcripts in docs/transcripts/, in the order in which one learns. */
export const STORIES: readonly string[] = [
  'two-phases',
  'one-round-trip',
  'duel',
  'grow',
  'copying',
  'quorum-read',
  'lost-commit',
  'change-functions',
  'eras',
  'shrink',
  'amnesia',
  'stale-acceptor',
  'collection',
  'collection-without-floor',
];

/** More waiting changes nothing. */
const WAITS_MAX = 20;

/** Which messages a command of a transcript is about. `*` stands for any. */
interface Wanted {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly kind: string;
}

/** A stage on which nothing has happened, of a program without these rules. */
export type Opening = (cluster: string, off: readonly string[]) => Promise<Stage>;

/**
 * Plays a transcript on the stage: what its commands do to messages becomes choices.
 * @param text of a file in docs/transcripts/
 * @throws TypeError for a command that is none
 */
export async function storyOf(text: string, opening: Opening): Promise<Story> {
  let teller = new Teller(opening, []);
  const steps: LadderStep[] = [];
  let [title, prose]: [string, string[]] = ['', []];
  for (const piece of piecesOf(text)) {
    if (piece.kind === 'prose') {
      if (title === '') [title = '', ...prose] = piece.paragraphs;
      else prose.push(...piece.paragraphs);
    } else if (piece.kind === 'variant') {
      teller = new Teller(
        opening,
        SWITCHES.filter(({ name }) => name === piece.name).map(({ id }) => id),
      );
    } else {
      const { commands, output } = piece;
      steps.push({ prose, commands, output, ...(await teller.play(commands)) });
      prose = [];
    }
  }
  return { title, steps };
}

class Teller {
  readonly #opening: Opening;
  readonly #off: readonly string[];
  #stage: Stage | undefined;
  #cluster = '';
  #choices: string[] = [];
  #losses: { from: string; to: string; kind: string }[] = [];
  #holds: Wanted[] = [];

  constructor(opening: Opening, off: readonly string[]) {
    this.#opening = opening;
    this.#off = off;
  }

  async play(commands: readonly string[]): Promise<Omit<LadderStep, 'prose' | 'commands' | 'output'>> {
    let begunAt = this.#choices.length;
    for (const command of commands) {
      const cluster = /^cluster (.+)$/.exec(command)?.[1];
      if (cluster !== undefined) {
        this.#stage = await this.#opening(cluster, this.#off);
        [this.#cluster, this.#choices, begunAt] = [cluster, [], 0];
        [this.#losses, this.#holds] = [[], []];
        continue;
      }
      await this.#command(command);
    }
    await this.#untilQuiet();
    return { cluster: this.#cluster, off: this.#off, choices: [...this.#choices], begunAt };
  }

  async #command(command: string): Promise<void> {
    const [, verb, from = '', to = '', kind = ''] = /^(lose|hold) (\S+) -> (\S+) (\S+)$/.exec(command) ?? [];
    const wanted = { from: from.split(','), to: to.split(','), kind };
    if (verb === 'hold') this.#holds.push(wanted);
    else if (verb === 'lose')
      this.#losses.push(...wanted.from.flatMap((one) => wanted.to.map((other) => ({ from: one, to: other, kind }))));
    else if (/^p\d+ /.test(command)) await this.#choose(command);
    else {
      await this.#untilQuiet();
      if (command === 'release') this.#holds = [];
      else if (command === 'wait') await this.#wait();
      else await this.#choose(command.replace(/^registers /, 'look '));
    }
  }

  async #wait(): Promise<void> {
    for (let waits = 0; this.#stage?.isBusy && waits < WAITS_MAX; waits += 1) {
      await this.#choose('wait');
      await this.#untilQuiet();
    }
  }

  async #untilQuiet(): Promise<void> {
    for (;;) {
      const next = this.#stage?.view().parcels.find((parcel) => !this.#holds.some((hold) => isWanted(hold, parcel)));
      if (!next) return;
      const loss = this.#losses.findIndex(({ from, to, kind }) => isWanted({ from: [from], to: [to], kind }, next));
      if (loss >= 0) this.#losses.splice(loss, 1);
      await this.#choose(`${loss >= 0 ? 'x' : 'd'}${next.number}`);
    }
  }

  async #choose(choice: string): Promise<void> {
    if (!this.#stage) throw new TypeError('a transcript begins with a cluster');
    await this.#stage.apply(choice);
    this.#choices.push(choice);
  }
}

function isWanted({ from, to, kind }: Wanted, parcel: ParcelSight): boolean {
  const isAmong = (names: readonly string[], name: string): boolean => names.includes('*') || names.includes(name);
  return isAmong(from, parcel.from) && isAmong(to, parcel.to) && (kind === '*' || kind === parcel.kind);
}
