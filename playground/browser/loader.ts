import { patchedText } from '../levels/switches.js';
import type { recordedAt } from '../stage/recorded-run.js';
import type { replay } from '../stage/run.js';

/** Where the compiled files are. */
export const DIST = new URL('../../', import.meta.url).href;

const IMPORTED = /(\bfrom |\bimport )'(\.[^']+)'/g;

/** What plays a run while these rules are off. */
export async function loadReplay(off: readonly string[]): Promise<typeof replay> {
  return ((await load('playground/stage/run.js', off)) as typeof import('../stage/run.js')).replay;
}

/** The same for a run of the simulation: its modules come when one is to be shown. */
export async function loadRecordedAt(off: readonly string[]): Promise<typeof recordedAt> {
  return ((await load('playground/stage/recorded-run.js', off)) as typeof import('../stage/recorded-run.js')).recordedAt;
}

/**
 * A module of `dist/`. Where rules are switched off, the files with the changed lines, and those that import them, are made into modules of their own;
 * all others stay what they are.
 */
async function load(path: string, off: readonly string[]): Promise<unknown> {
  const changed = off.length > 0 ? await changedModules(path, off) : undefined;
  return import(changed?.get(DIST + path) ?? DIST + path);
}

/** @returns the addresses of those that are not as they are in `dist/` */
async function changedModules(entry: string, off: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>();
  const seen = new Map<string, Promise<void>>();
  const visit = (url: string): Promise<void> => {
    let visited = seen.get(url);
    if (!visited) seen.set(url, (visited = look(url)));
    return visited;
  };
  // The program has no two modules that import each other, so that each is looked at after those that it imports.
  const look = async (url: string): Promise<void> => {
    const text = await (await fetch(url)).text();
    const imported = [...text.matchAll(IMPORTED)].map(([, , specifier = '']) => new URL(specifier, url).href);
    await Promise.all(imported.map(visit));
    const patched = patchedText(url.slice(DIST.length), text, off);
    if (patched === text && !imported.some((one) => changed.has(one))) return;
    const linked = patched.replaceAll(IMPORTED, (_whole, before: string, specifier: string) => {
      const target = new URL(specifier, url).href;
      return `${before}'${changed.get(target) ?? target}'`;
    });
    changed.set(url, URL.createObjectURL(new Blob([linked], { type: 'text/javascript' })));
  };
  await visit(DIST + entry);
  return changed;
}
