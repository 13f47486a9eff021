import './stand-ins.js';

/** Where the compiled files are. */
export const DIST = new URL('../../dist/', import.meta.url).href;

const [RUN, RECORDED] = ['playground/stage/run.js', 'playground/stage/recorded-run.js'];

const IMPORTED = /(\bfrom |\bimport )'(\.[^']+)'/g;

/**
 * The modules of the playground: those of `dist/` themselves. Where rules are switched off, the files with the changed lines, and those that import
 * them, are made into modules of their own; all others stay what they are.
 *
 * @param {readonly string[]} off
 * @param {boolean} [isRecorded] whether a run of the simulation is to be shown, which others need not load
 */
export async function loadStage(off, isRecorded = false) {
  const changed = await changedModules(off, [RUN, ...(isRecorded ? [RECORDED] : [])]);
  /** @param {string} path @returns {Promise<unknown>} */
  const load = (path) => import(changed.get(DIST + path) ?? DIST + path);
  const run = /** @type {typeof import('../stage/run.js')} */ (await load(RUN));
  const recorded = /** @type {typeof import('../stage/recorded-run.js') | undefined} */ (isRecorded ? await load(RECORDED) : undefined);
  return {
    ...run,
    staged: recorded?.recordedAt ?? run.replay,
    .../** @type {typeof import('../stage/adversary.js')} */ (await load('playground/stage/adversary.js')),
  };
}

/** The modules that are the same whatever is switched off. */
export async function loadLessons() {
  const load = (/** @type {string} */ path) => import(DIST + path);
  return {
    .../** @type {typeof import('../levels/levels.js')} */ (await load('playground/levels/levels.js')),
    .../** @type {typeof import('../levels/switches.js')} */ (await load('playground/levels/switches.js')),
    .../** @type {typeof import('../ladder/ladder.js')} */ (await load('playground/ladder/ladder.js')),
    .../** @type {typeof import('../ladder/code.js')} */ (await load('playground/ladder/code.js')),
    .../** @type {typeof import('../stage/choice.js')} */ (await load('playground/stage/choice.js')),
    .../** @type {typeof import('../../verification/transcripts/in-words.js')} */ (await load('verification/transcripts/in-words.js')),
    .../** @type {typeof import('../../verification/pictures/space-time.js')} */ (await load('verification/pictures/space-time.js')),
    .../** @type {typeof import('../../verification/histories/history-files.js')} */ (
      await load('verification/histories/history-files.js')
    ),
  };
}

/**
 * @param {readonly string[]} off
 * @param {readonly string[]} entries
 * @returns {Promise<ReadonlyMap<string, string>>} the addresses of those that are not as they are in `dist/`
 */
async function changedModules(off, entries) {
  /** @type {Map<string, string>} */
  const changed = new Map();
  if (off.length === 0) return changed;
  const { patchedText } = await loadLessons();
  /** @type {Map<string, Promise<void>>} */
  const seen = new Map();
  /** @param {string} url @returns {Promise<void>} */
  const visit = (url) => {
    let visited = seen.get(url);
    if (!visited) seen.set(url, (visited = look(url)));
    return visited;
  };
  /** The program has no two modules that import each other, so that each is looked at after those that it imports. @param {string} url */
  const look = async (url) => {
    const text = await (await fetch(url)).text();
    const imported = [...text.matchAll(IMPORTED)].map(([, , specifier = '']) => new URL(specifier, url).href);
    await Promise.all(imported.map(visit));
    const patched = patchedText(url.slice(DIST.length), text, off);
    if (patched === text && !imported.some((one) => changed.has(one))) return;
    const linked = patched.replaceAll(IMPORTED, (_whole, /** @type {string} */ before, /** @type {string} */ specifier) => {
      const target = new URL(specifier, url).href;
      return `${before}'${changed.get(target) ?? target}'`;
    });
    changed.set(url, URL.createObjectURL(new Blob([linked], { type: 'text/javascript' })));
  };
  for (const entry of entries) await visit(DIST + entry);
  return changed;
}
