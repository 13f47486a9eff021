import { HASTY } from './guard-off.js';
import { broken, patch, type Variant } from './variant.js';

const KV = 'src/store/kv.ts';
const GUARD = 'node-control/safety/guard.ts';
const LISTING = 'node-control/rescan/key-listing.ts';

/** What a rescan, and the list of what it settles, must not do. */
export const BROKEN_RESCANS: readonly Variant[] = [
  broken('the rescan does one key only', ['stepwise migration', 50, 11], {}, [
    patch(LISTING, 'if (keys.length > 0) await handOn(keys);', 'if (this.#sources[0] === source) await handOn(keys.slice(0, 1));'),
  ]),
  broken('the rescan is content with an incomplete listing', ['stepwise resize', 600, 103], {}, [
    patch(
      'node-control/commands/rescan.ts',
      'if (acceptors.length - failures.length >= required) return;',
      'if (acceptors.length >= failures.length) return;',
    ),
  ]),
  broken(
    'the rescan lists an acceptor that cannot know all keys',
    ['stepwise migration', 50, 4],
    { unguarded: [patch(GUARD, '!inUse.has(entryKey(entry)) && !alwaysMeet(listed, entry)', 'entry.quorum === 0')] },
    [
      ...HASTY,
      patch(
        'verification/simulation/migration.ts',
        "  'add-accept all B 2', //\n  'rescan A,B 2',",
        "  'add-accept all B 2', //\n  'rescan B 1',",
      ),
    ],
  ),
  broken(
    'the rescan reads from the cache',
    ['stepwise migration', 60],
    { harmless: 'a cached promise is of this configuration: its accept quorum holds the value already' },
    [patch(KV, '...(isRescan && { usePromise: false, keepPromise: false }), ', '')],
  ),
  broken(
    'the rescan reads by quorum',
    ['stepwise migration', 60],
    { harmless: 'what is proven in this era is on an accept quorum already, and an empty register has nothing to bring' },
    [patch('src/store/store.ts', "await this.#run('rescan', undefined, () => this.#queue.run(key, 'rescan'));", 'await this.get(key);')],
  ),
  broken(
    'the rescan leaves out keys that hold only a promise',
    ['stepwise migration', 60],
    { harmless: 'with eras, a late accept under an old promise is below every ballot of the configurations after it' },
    [
      patch(
        'src/redis/memory-admin.ts',
        '[...this.#connected().registers.keys()]',
        '[...this.#connected().registers.entries()].filter(([, { value }]) => value !== null).map(([key]) => key)',
      ),
    ],
  ),
  broken(
    'a rescan takes what is in use off the list',
    ['stepwise migration', 60],
    { harmless: 'the next step puts the sets that are in use before it on the list again' },
    [
      patch(
        GUARD,
        'kept: entries.filter((entry) => inUse.has(entryKey(entry)) || unlisted.includes(entry)), unlisted',
        'kept: unlisted, unlisted',
      ),
    ],
  ),
  broken('the list of where values rest is not carried on', ['any commands', 60, 5], {}, [
    patch(
      'node-control/step/write.ts',
      'const resting = restingAfter(transitions)',
      'const resting = restingAfter(transitions.map((plan) => ({ ...plan, before: { ...plan.before, resting: [] } })))',
    ),
  ]),
  broken('wipe takes the list of where values rest with it', ['any commands', 60, 4], {}, [
    patch(
      'node-control/step/write.ts',
      'return { ...(transition as Transition).after, ...shared, identities: kept };',
      'return { ...(transition as Transition).after, ...shared, identities: kept, ...(step.verb === "wipe" && { resting: [] }) };',
    ),
    patch(
      'node-control/step/write.ts',
      'const shared = { identities, resting,',
      'const shared = { identities, resting: step.verb === "wipe" ? [] : resting,',
    ),
  ]),
];
