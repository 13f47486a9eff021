import { lastWord, madeByItself, type RecordedOperation, stateToldTo } from './history.js';
import { difference, foundBy, isExtending, isMeantToMake, possibleFrom, type RecordedWrite, wordOf, writesOf } from './writes.js';

/** What is known of one version of the key. Moments are the numbers of events. */
export interface Version {
  /** What it holds, null if it is a deletion; undefined if that is not known. */
  val?: string | null;
  /** The write that made it, if that is known. */
  maker?: { readonly write: RecordedWrite; readonly invokedAt: number };
  /** The first answer that told of it. */
  firstAnswer: number;
  /** The last invocation that was answered that the key is at it. */
  lastInvocation: number;
}

/** All that the answers tell, whatever the order. */
export interface KnownVersions {
  readonly byNumber: ReadonlyMap<number, Version>;
  /** The writes that may have made a version of which nobody was told, with the moment of their invocation, in that order. */
  readonly open: readonly { readonly write: RecordedWrite; readonly invokedAt: number }[];
  /** When those ran who were told that the key does not exist, but not since which version, if that can be another one than 0. */
  readonly absences: readonly { readonly invokedAt: number; readonly answeredAt: number }[];
}

/**
 * What is known of each version. Every version is made once, by one write, and holds one value. Words are unique, so that a value tells its maker:
 * the write of its last word. (Of two with the same word a version tells which one is meant, where they expect one.) If that appended it, what is before it is the value of the version below, and so on down.
 *
 * @param until what is answered after this event counts as still running: a write as unknown, a read as nothing
 * @param isCollected see `History.noteCollection`
 * @returns undefined where answers contradict each other, or themselves, in whatever order
 */
export function versionsOf(operations: readonly RecordedOperation[], until: number, isCollected: boolean): KnownVersions | undefined {
  try {
    const gathered = new Gathering(until, isCollected);
    for (const operation of operations) gathered.hear(operation);
    return gathered.conclude(writesOf(operations));
  } catch (error) {
    if (error instanceof Contradiction) return undefined;
    throw error;
  }
}

class Contradiction extends Error {}

class Gathering {
  readonly #until: number;
  readonly #isCollected: boolean;
  readonly #versions = new Map<number, Version>();
  readonly #made = new Map<RecordedWrite, number>();
  readonly #absences: { invokedAt: number; answeredAt: number }[] = [];

  constructor(until: number, isCollected: boolean) {
    this.#until = until;
    this.#isCollected = isCollected;
    this.#holds(0, null);
  }

  /** What one answer tells of a version by itself. */
  hear(operation: RecordedOperation): void {
    const { request, returned, invokedAt } = operation;
    const told = stateToldTo(operation);
    if (!returned || returned.at > this.#until) return;
    if (!told) {
      if (returned.outcome.kind === 'written') throw new Contradiction();
      return;
    }
    if (!Number.isSafeInteger(told.ver) || told.ver < 0) throw new Contradiction();
    if (returned.outcome.kind === 'state') {
      if (!canMiss(operation)) throw new Contradiction();
      if (this.#isCollected && told.ver === 0 && told.val === null) {
        this.#absences.push({ invokedAt, answeredAt: returned.at });
        return;
      }
      const version = this.#at(told.ver);
      version.lastInvocation = Math.max(version.lastInvocation, invokedAt);
    } else if (!isOwn(request, told.val)) {
      throw new Contradiction();
    }
    this.#at(told.ver).firstAnswer = Math.min(this.#at(told.ver).firstAnswer, returned.at);
    if (told.val !== undefined) this.#holds(told.ver, told.val);
  }

  /** What the answers tell together. */
  conclude(writes: readonly RecordedWrite[]): KnownVersions {
    const possible = writes
      .map((write) => ({ write, invokedAt: possibleFrom(write, this.#until) }))
      .filter((one): one is NonNullable<Version['maker']> => one.invokedAt !== undefined)
      .sort((a, b) => a.invokedAt - b.invokedAt);
    for (const one of possible) {
      for (const { returned } of one.write.attempts) {
        if (returned?.outcome.kind === 'written' && returned.at <= this.#until) this.#makes(returned.outcome.ver, one);
      }
    }
    this.#recognizeMakers(possible);
    for (const [write, ver] of this.#made) if (!this.#isToldInOrder(write, ver)) throw new Contradiction();
    const makers = new Set([...this.#versions.values()].map(({ maker }) => maker?.write));
    const open = possible.filter(({ write }) => !makers.has(write));
    return { byNumber: this.#versions, open, absences: this.#absences };
  }

  #recognizeMakers(possible: readonly NonNullable<Version['maker']>[]): void {
    const byWord = new Map<string, (typeof possible)[number][]>();
    for (const one of possible) {
      const word = wordOf(one.write);
      if (word !== undefined) byWord.set(word, [...(byWord.get(word) ?? []), one]);
    }
    // Those that values are found for on the way come after the ones that they were found by.
    for (const [ver, { val }] of this.#versions) {
      // What was appended or added to is no deletion.
      if (val === null && isExtending(this.#at(ver).maker?.write.request)) throw new Contradiction();
      if (val === undefined || val === null) continue;
      const sameWord = byWord.get(lastWord(val).word);
      if (!sameWord && !this.#at(ver).maker && this.#isMaybeSum(val, possible)) continue;
      const maker = this.#at(ver).maker ?? sameWord?.find(({ write }) => isMeantToMake(ver, write) && !this.#made.has(write));
      const found = maker && foundBy(maker.write, val);
      if (!found) throw new Contradiction();
      this.#makes(ver, maker);
      if (typeof found.val === 'string' && this.#at(ver - 1).val !== found.val) {
        // It may have been passed already, and is looked at again.
        const below = this.#at(ver - 1);
        this.#holds(ver - 1, found.val);
        this.#versions.delete(ver - 1);
        this.#versions.set(ver - 1, below);
      }
    }
    this.#recognizeAdds(byWord);
  }

  /** Whether a number that is nobody's own can have been left by an add whose outcome is open: no other is told without its version. */
  #isMaybeSum(val: string, possible: readonly NonNullable<Version['maker']>[]): boolean {
    return Number.isSafeInteger(Number(val)) && possible.some(({ write }) => write.request.kind === 'add' && !this.#made.has(write));
  }

  /** By what they added, where the version below is known; where it is not, the maker stays unknown. */
  #recognizeAdds(byWord: ReadonlyMap<string, readonly NonNullable<Version['maker']>[]>): void {
    for (const [ver, { val, maker }] of this.#versions) {
      const below = this.#versions.get(ver - 1)?.val;
      if (maker || typeof val !== 'string' || below === undefined) continue;
      const added = below === null ? undefined : difference(val, below);
      const [adding] = byWord.get(added ?? '') ?? [];
      if (adding?.write.request.kind !== 'add') throw new Contradiction();
      this.#makes(ver, adding);
    }
  }

  /** A write that was sent again under its name cannot have missed any more once it was applied. */
  #isToldInOrder({ attempts }: RecordedWrite, ver: number): boolean {
    return attempts.every(({ returned }) => {
      if (!returned || returned.at > this.#until || returned.outcome.kind !== 'state') return true;
      return returned.outcome.ver < ver;
    });
  }

  #at(ver: number): Version {
    let version = this.#versions.get(ver);
    if (!version) this.#versions.set(ver, (version = { firstAnswer: Infinity, lastInvocation: 0 }));
    return version;
  }

  #holds(ver: number, val: string | null): void {
    const version = this.#at(ver);
    if (version.val !== undefined && version.val !== val) throw new Contradiction();
    version.val = val;
  }

  #makes(ver: number, maker: NonNullable<Version['maker']>): void {
    const version = this.#at(ver);
    if (!isMeantToMake(ver, maker.write) || ver === 0 || (version.maker && version.maker.write !== maker.write)) throw new Contradiction();
    if ((this.#made.get(maker.write) ?? ver) !== ver) throw new Contradiction();
    this.#made.set(maker.write, ver);
    version.maker = maker;
  }
}

/** Whether a write can have made what it was told that it made. That the last word is its own is looked at where makers are recognized. */
function isOwn(request: RecordedOperation['request'], val: string | null | undefined): boolean {
  if (val === undefined) return true;
  return isExtending(request) ? val !== null : val === madeByItself(request);
}

/** Whether a write can have been told the state that it was told, instead of being applied: only if that is not the one that it expects. */
function canMiss({ request, returned }: RecordedOperation): boolean {
  if (returned?.outcome.kind !== 'state') return true;
  const { ver, val } = returned.outcome;
  switch (request.kind) {
    case 'get':
      return true;
    case 'delete':
      return val === null || (request.ver !== undefined && request.ver !== ver);
    default:
      if (request.ver === undefined) return false;
      return request.ver === 0 ? val !== null : val === null || request.ver !== ver;
  }
}
