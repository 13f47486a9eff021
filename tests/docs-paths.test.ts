import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));
/** What is no part of the project, or is made when it runs. */
const MADE = ['.git', 'node_modules', 'dist', '.cluster', '.secrets', '.mutants'];

/** Every file of the project, and every folder that holds one, with a slash at its end. */
const paths = new Set<string>();
const walk = (folder: string): void => {
  for (const entry of readdirSync(path.join(project, folder), { withFileTypes: true })) {
    const name = `${folder}${entry.name}`;
    // Clusters of tests that run beside this one, each in a folder of its own, come and go.
    if (MADE.includes(name) || name.startsWith('.cluster-')) continue;
    if (entry.isDirectory()) walk(`${name}/`);
    else for (let place = name; place !== './'; place = `${path.posix.dirname(place)}/`) paths.add(place);
  }
};
walk('');
const names = new Set([...paths].map((place) => path.posix.basename(place)));

const pages = [...paths].filter((name) => /^([A-Z]+|(docs|findings)\/.*)\.md$/.test(name));

/** What code is not: a fenced block shows commands and their output. */
function proseOf(page: string): string {
  return readFileSync(path.join(project, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
}

/** The scripts that a reader is to type, in the fenced blocks of a page. */
function typedScripts(page: string): string[] {
  const blocks = readFileSync(path.join(project, page), 'utf8').match(/^```[^]*?^```/gm) ?? [];
  return blocks.flatMap((block) => [...block.matchAll(/(?<![\w./])(\.\/[\w./-]+\.sh)\b/g)].map(([, script = '']) => script));
}

/** The anchors that a page's headings get. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isThere(name: string): boolean {
  return paths.has(name) || paths.has(`${name}/`) || name === '' || name === './';
}

/** The links of a page that lead nowhere. */
function deadLinks(page: string): string[] {
  const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const name = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
    return !isThere(name) || (anchor !== undefined && name.endsWith('.md') && !anchorsOf(name).includes(anchor));
  });
}

/** `folder/file.ts`, `folder/`, `./script.sh`, `folder/*.lua`; not a request, a command with arguments, or a name of npm. */
function isPath(code: string): boolean {
  return (
    /^(\.\/|\.?[\w-]+\/)[\w.*/-]*$/.test(code) && !code.startsWith('caspaxos-demo/') && !MADE.some((made) => code.startsWith(`${made}/`))
  );
}

/** A file of ours by its name alone: `guard.ts`. */
function isFileName(code: string): boolean {
  return /^\w[\w-]*\.(ts|js|sh|lua|txt)$/.test(code);
}

/** All names that a path with braces stands for. */
function unfolded(code: string): string[] {
  const [, before, choices, after] = /^(.*?)\{([^}]*)\}(.*)$/.exec(code) ?? [];
  if (choices === undefined) return [code];
  return choices.split(',').flatMap((choice) => unfolded(`${before ?? ''}${choice}${after ?? ''}`));
}

/** The paths in backticks that are not there: from the project's folder, from node-control/ where commands are typed, or from the page. */
function deadPaths(page: string): string[] {
  const codes = [...proseOf(page).matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => unfolded(code));
  return codes.filter((code) => {
    if (isFileName(code)) return !names.has(code);
    return isPath(code) && !['', 'node-control', path.posix.dirname(page)].some((from) => isAt(code, from));
  });
}

function isAt(name: string, from: string): boolean {
  const joined = path.posix.join(from, name);
  if (!joined.includes('*')) return isThere(joined);
  const pattern = new RegExp(
    `^${joined
      .split('*')
      .map((piece) => piece.replaceAll(/[.+]/g, '\\$&'))
      .join('[^/]*')}$`,
  );
  return [...paths].some((candidate) => pattern.test(candidate));
}

/** The rows that have more cells than the head of their table, which are not shown, or fewer. */
function unevenRows(page: string): string[] {
  const cellsOf = (row: string): number => row.replaceAll('\\|', '').split('|').length;
  const tables = proseOf(page).match(/(^\|.*\n)+/gm) ?? [];
  return tables.flatMap((table) => {
    const [head = '', ...rows] = table.trimEnd().split('\n');
    return rows.filter((row) => cellsOf(row) !== cellsOf(head));
  });
}

describe.each(pages)('%s', (page) => {
  it('has no link that leads nowhere', () => {
    expect(deadLinks(page)).toEqual([]);
  });

  it('names no file or folder that is not there', () => {
    expect(deadPaths(page)).toEqual([]);
  });

  it('has a cell in each row of a table for each of its columns, and no more', () => {
    expect(unevenRows(page)).toEqual([]);
  });

  it('has no script typed that is not there', () => {
    expect(typedScripts(page).filter((script) => !isAt(script, '') && !isAt(script, 'node-control'))).toEqual([]);
  });
});

describe('the table of folders in README.md', () => {
  it('has every room of the project, and the rooms of src/', () => {
    const [, table = ''] = /^## Where is what\n([^]*?)\n\n[^|\n]/m.exec(readFileSync(path.join(project, 'README.md'), 'utf8')) ?? [];
    const rooms = [...paths].filter((place) => /^(src\/)?\w[\w-]*\/$/.test(place) && place !== 'src/' && place !== 'docs/');
    expect(rooms.filter((room) => !table.includes(`\`${room}\``))).toEqual([]);
  });
});

describe('the tables of findings/README.md', () => {
  it('have each script', () => {
    const text = readFileSync(path.join(project, 'findings/README.md'), 'utf8');
    const scripts = [...paths].filter((place) => /^findings\/.*\.sh$/.test(place)).map((place) => path.posix.basename(place));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter((script) => !text.includes(`](${script})`))).toEqual([]);
  });
});
