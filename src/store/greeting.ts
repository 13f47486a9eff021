import type { Ballot } from '../protocol/ballot.js';

/**
 * What a proposer asks of an acceptor over each new connection, before anything else, and about once a second after that: whether the
 * acceptor's disk still holds what it once held, and whether the proposer's own does.
 */
export interface Greeting {
  /** Of the acceptor that is meant. */
  readonly identity: string;
  /** The acceptor's count when this proposer last heard it; 0: it never did. */
  readonly beats: number;
  /** What it confirmed last to this process, and what its promise for that key was then at least. */
  readonly confirmed: Confirmed | undefined;
  /** The identity that the acceptor gets if its disk went back. */
  readonly marked: string;
  /** The number of the proposer; 0: it does not say. */
  readonly proposer: number;
  /** Of the proposer's configuration. */
  readonly era: number;
  /** Whether the acceptor counts. One that confirmed nothing and heard of no era since it last counted is only looked at: an idle cluster writes nothing. */
  readonly isCounting: boolean;
}

export interface Confirmed {
  readonly key: string;
  readonly promise: Ballot;
}

/**
 * - `told`: as `ok`, and the era was news. It did not count: each greeting writes one thing at most.
 * - `stranger`: another acceptor, or one that has forgotten who it is.
 * - `back`: it has forgotten what it counted or promised. It is a stranger from now on, to everybody.
 * - `old`: this proposer said a higher era before, so it is the proposer's disk that went back.
 */
export type Greeted =
  | { readonly kind: 'ok' | 'told'; readonly beats: number }
  | { readonly kind: 'stranger' | 'back'; readonly identity: string | undefined }
  | { readonly kind: 'old'; readonly era: number };

/** What a proposer remembers of each acceptor, by its identity: on disk where it can, for it is of use after a restart. */
export interface Beats {
  /** The highest count that was heard; 0 if none was. */
  of(identity: string): number;
  note(identity: string, beats: number): void;
}

/** On whose behalf acceptors are asked. */
export interface Introduction {
  /** The number of the proposer; 0: it has none. */
  readonly proposer: number;
  /** Of the configuration that it has on its disk. */
  era(): number;
  readonly beats: Beats;
  /** Is told of the higher era that this proposer had before. */
  onOld(era: number): void;
}

export function beatsInMemory(): Beats {
  const heard = new Map<string, number>();
  return {
    of: (identity) => heard.get(identity) ?? 0,
    note: (identity, beats) => void heard.set(identity, beats),
  };
}

/** Of somebody who has no number, no configuration, and no disk. */
export function anonymous(): Introduction {
  return { proposer: 0, era: () => 0, beats: beatsInMemory(), onOld: () => undefined };
}

/** What a process of a proposer saw of one acceptor, over all its connections to it. Makes the greetings, and hears the answers. */
export class Witness {
  /** Of the acceptor that is meant. */
  readonly identity: string;
  readonly #introduction: Introduction;
  #confirmed: Confirmed | undefined;
  /** Whether something was confirmed, or an era was news, since the acceptor last counted. */
  #isDue = false;

  constructor(identity: string, introduction: Introduction) {
    this.identity = identity;
    this.#introduction = introduction;
  }

  /**
   * The acceptor has confirmed something. What one connection confirms is confirmed in the order in which it is on the disk, so a disk that has
   * lost any of it has lost the last of it.
   */
  confirmed(key: string, promise: Ballot): void {
    this.#confirmed = { key, promise };
    this.#isDue = true;
  }

  /**
   * Greets the acceptor.
   * @param send rejects if the acceptor does not answer; whether it counted is then unknown, and does not matter
   */
  async greet(send: (greeting: Greeting) => Promise<Greeted>, nowMs: number): Promise<Greeted> {
    const { proposer, beats } = this.#introduction;
    const era = this.#introduction.era();
    const isCounting = this.#isDue;
    // What is confirmed from here on may be behind the count on the disk.
    this.#isDue = false;
    let greeted: Greeted | undefined;
    try {
      greeted = await send({
        identity: this.identity,
        beats: beats.of(this.identity),
        confirmed: this.#confirmed,
        marked: markedBack(this.identity, proposer, nowMs),
        // One without a configuration, new or emptied, has nothing that could be old.
        proposer: era === 0 ? 0 : proposer,
        era,
        isCounting,
      });
    } finally {
      if (greeted?.kind !== 'ok') this.#isDue ||= isCounting;
      // A rescan that copied registers to it ends with a new era: nobody has these confirmed, so that it has them the beat after them must tell.
      if (greeted?.kind === 'told') this.#isDue = true;
    }
    if ('beats' in greeted && greeted.beats > beats.of(this.identity)) beats.note(this.identity, greeted.beats);
    if (greeted.kind === 'old') this.#introduction.onOld(greeted.era);
    return greeted;
  }
}

const MARKED = /^(.+)~(\d+)~(\d+)$/;

/** The identity of an acceptor whose disk went back: nobody's, and it says since when, and who noticed. */
function markedBack(identity: string, proposer: number, nowMs: number): string {
  return `${identity}~${Math.floor(nowMs / 1_000)}~${proposer}`;
}

/** What the identity of an acceptor tells whose disk went back. */
export interface WentBack {
  /** Its identity before. */
  readonly was: string;
  /** Since when it is known. */
  readonly atMs: number;
  readonly text: string;
}

/** Undefined if nobody has noticed that the disk of an acceptor with this identity went back. */
export function wentBack(identity: string | null | undefined): WentBack | undefined {
  const [, was, seconds, proposer] = MARKED.exec(identity ?? '') ?? [];
  if (was === undefined) return undefined;
  const atMs = Number(seconds) * 1_000;
  const since = new Date(atMs).toISOString().replace('.000', '');
  return { was, atMs, text: `its disk went back to an earlier moment, noticed by proposer ${proposer} at ${since}` };
}

/** What is wrong with an acceptor that is not the one that is meant. */
export function strangerText(identity: string | null | undefined, meant: string): string {
  const back = wentBack(identity);
  if (back) return `this was ${back.was}: ${back.text}; it is not ${meant}`;
  return `this is ${identity || 'an acceptor that has forgotten who it is'}, not ${meant}`;
}
