import type { Version, KnownVersions } from './versions.js';
import { foundBy, type RecordedWrite } from './writes.js';

/** A way in which the key can have come to a version. */
interface Course {
  /** Whether the key exists there. */
  readonly isPresent: boolean;
  /** When the version began at the earliest. */
  readonly beganAt: number;
  /** How many writes of each kind made versions of which nobody was told who made them, the first ones of that kind. */
  readonly used: Readonly<Record<Kind, number>>;
}

/** Open writes that differ in their moments only: one that changes a key whatever it holds, one that needs it to exist, one that needs it not to. */
type Kind = 'changes' | 'deletions' | 'creations';

/** How a version can have been made: what the key has to be before it, and is after it. */
interface Way {
  readonly invokedAt: number;
  readonly needs: 'present' | 'absent' | undefined;
  readonly isPresent: boolean;
  readonly uses?: Kind;
}

/**
 * For each version the earliest moment at which it can have begun, in whatever way the key came to it; undefined if it cannot have come to the last
 * one that anybody was told of.
 *
 * Each version begins as early as it can: after the one before, after its maker was invoked, and when the last of those who saw the one before was
 * under way. To begin later could only miss the deadline that follows, or delay the versions after it.
 *
 * Of most versions the maker is known. Of one that nobody can tell the maker of, any open write may be it, each once. An open write has no deadline,
 * so that of those which do the same the one invoked first serves wherever another one does; and one that can make this version only is used here or
 * nowhere. What is left to choose is the kind, which decides whether the key exists. All choices are followed, and of two that lead to the same the one
 * that is worse in nothing is kept: so their number stays small.
 *
 * @param collectedFrom from this event on a key that does not exist may come to a later version without a write; undefined: never
 * @param notBefore for versions that must not begin before some moment
 */
export function earliestBegins(
  { byNumber, open }: KnownVersions,
  collectedFrom: number | undefined,
  notBefore: ReadonlyMap<number, number>,
): number[] | undefined {
  const kinds = openByKind(open);
  const begins = [0];
  let courses: Course[] = [{ isPresent: false, beganAt: 0, used: { changes: 0, deletions: 0, creations: 0 } }];
  const last = lastTold(byNumber);
  for (let ver = 1; ver <= last; ver += 1) {
    const version = byNumber.get(ver) ?? NOTHING_KNOWN;
    const least = Math.max(byNumber.get(ver - 1)?.lastInvocation ?? 0, notBefore.get(ver) ?? 0);
    const next: Course[] = [];
    for (const course of courses) {
      for (const { invokedAt, needs, isPresent, uses } of waysTo(version, ver, course, kinds, collectedFrom)) {
        if (needs !== undefined && (needs === 'present') !== course.isPresent) continue;
        const beganAt = Math.max(course.beganAt, invokedAt, least);
        const used = uses ? { ...course.used, [uses]: course.used[uses] + 1 } : course.used;
        if (beganAt < version.firstAnswer) next.push({ isPresent, beganAt, used });
      }
    }
    if (next.length === 0) return undefined;
    courses = next.length === 1 ? next : withoutWorse(next);
    begins.push(Math.min(...courses.map(({ beganAt }) => beganAt)));
  }
  return begins;
}

/** Above the last version that anybody was told of, open writes are best left out: nobody needs what they would make. */
function lastTold(byNumber: KnownVersions['byNumber']): number {
  let last = 0;
  for (const [ver, { firstAnswer }] of byNumber) if (firstAnswer < Infinity) last = Math.max(last, ver);
  return last;
}

const NOTHING_KNOWN: Version = { firstAnswer: Infinity, lastInvocation: 0 };

interface OpenByKind extends Readonly<Record<Kind, readonly number[]>> {
  /** Those that can make one version only, as they expect the one below: by that version, the first of each. */
  readonly exact: ReadonlyMap<number, { readonly changes?: number; readonly deletions?: number }>;
}

function openByKind(open: KnownVersions['open']): OpenByKind {
  const exact = new Map<number, { changes?: number; deletions?: number }>();
  const kinds = { changes: [] as number[], deletions: [] as number[], creations: [] as number[], exact };
  for (const { write, invokedAt } of open) {
    const { request } = write;
    if (request.ver !== undefined && request.ver > 0) {
      const kind = request.kind === 'delete' ? 'deletions' : 'changes';
      exact.set(request.ver + 1, { [kind]: invokedAt, ...exact.get(request.ver + 1) });
    } else {
      kinds[request.kind === 'delete' ? 'deletions' : request.ver === 0 ? 'creations' : 'changes'].push(invokedAt);
    }
  }
  return kinds;
}

function waysTo(version: Version, ver: number, { used }: Course, open: OpenByKind, collectedFrom: number | undefined): Way[] {
  const { maker, val } = version;
  if (maker) return [{ invokedAt: maker.invokedAt, needs: neededBy(maker.write, val), isPresent: maker.write.request.kind !== 'delete' }];
  const ways: Way[] = [];
  const add = (invokedAt: number | undefined, way: Omit<Way, 'invokedAt'>): void => {
    if (invokedAt !== undefined) ways.push({ invokedAt, ...way });
  };
  const exact = open.exact.get(ver);
  add(exact?.deletions, { needs: 'present', isPresent: false });
  add(open.deletions[used.deletions], { needs: 'present', isPresent: false, uses: 'deletions' });
  // Somebody was told that it is a deletion.
  if (val === null) return ways;
  add(exact?.changes, { needs: 'present', isPresent: true });
  add(open.changes[used.changes], { needs: undefined, isPresent: true, uses: 'changes' });
  add(open.creations[used.creations], { needs: 'absent', isPresent: true, uses: 'creations' });
  if (val === undefined) add(collectedFrom, { needs: 'absent', isPresent: false });
  return ways;
}

/** What the key was before a write: a word that was appended, or a number that was added, stands alone only if there was nothing. */
function neededBy(write: RecordedWrite, val: string | null | undefined): Way['needs'] {
  const { kind, ver } = write.request;
  if (kind === 'delete') return 'present';
  if (ver !== undefined) return ver === 0 ? 'absent' : 'present';
  const found = typeof val === 'string' ? foundBy(write, val)?.val : undefined;
  return found === undefined ? undefined : found === null ? 'absent' : 'present';
}

function withoutWorse(courses: readonly Course[]): Course[] {
  const best: Course[] = [];
  for (const course of courses) {
    if (best.some((other) => isAsGood(other, course))) continue;
    best.splice(0, best.length, ...best.filter((other) => !isAsGood(course, other)), course);
  }
  return best;
}

function isAsGood(one: Course, other: Course): boolean {
  const kinds = Object.keys(one.used) as Kind[];
  return one.isPresent === other.isPresent && one.beganAt <= other.beganAt && kinds.every((kind) => one.used[kind] <= other.used[kind]);
}
