import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** What each room of the library may import besides itself: other rooms, and packages. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  hedging: ['protocol'],
  reads: ['protocol'],
  store: ['protocol', 'hedging', 'reads', 'lru-cache'],
  node: ['protocol', 'store', 'node:*'],
  redis: ['protocol', 'store', 'node', 'ioredis', 'node:*'],
  http: ['protocol', 'store', 'undici'],
};

/** Paths of this project's files, and the names of packages. */
function specifiersOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(/(?:^|\n)(?:import|export)\s[^;]*?from '([^']+)'/g)];
  return specifiers.map(([, specifier = '']) => (specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : specifier));
}

function importsOf(file: string): string[] {
  return specifiersOf(file).map((specifier) => {
    if (specifier.startsWith('node:')) return 'node:*';
    return specifier.endsWith('.js') ? path.dirname(specifier) : specifier;
  });
}

/** The file that is imported as it will be when it is compiled. */
function sourceOf(name: string, sources: ReadonlySet<string>): string[] {
  return [name, name.replace(/\.js$/, '.ts')].filter((file) => sources.has(file));
}

/** The folder of a file, to the second level: a program, `main`, is a room of its own, above the one it lies in. */
function roomOf(file: string): string {
  const folders = path.dirname(file).split('/');
  return /(^|\/)main\.(ts|js)$/.test(file) ? file.replace(/\.js$/, '.ts') : folders.slice(0, 2).join('/');
}

const code = (file: string): number =>
  read(file)
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/\*|\*|$)/.test(line)).length;

describe('imports', () => {
  it('go one way: no file imports itself through others, not even types', () => {
    const sources = new Set(tracked.filter((file) => /\.(ts|js)$/.test(file) && !file.endsWith('.d.ts')));
    const importsBy = new Map([...sources].map((file) => [file, specifiersOf(file).flatMap((name) => sourceOf(name, sources))]));
    expect([...importsBy.values()].flat().length).toBeGreaterThan(1_000);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, through: readonly string[]): void => {
      if (through.includes(file)) circles.push([...through.slice(through.indexOf(file)), file].join(' -> '));
      if (done.has(file)) return;
      done.add(file);
      for (const imported of importsBy.get(file) ?? []) visit(imported, [...through, file]);
    };
    for (const file of sources) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('go one way between rooms, too: none stands on another that stands on it', () => {
    const files = tracked.filter((file) =>
      /^(src|proposer|client|local|node-control|verification|playground|bench|examples)\/.*\.(ts|js)$/.test(file),
    );
    const importsBy = new Map<string, Set<string>>();
    for (const file of files) {
      const imported = importsBy.get(roomOf(file)) ?? new Set();
      importsBy.set(roomOf(file), imported);
      for (const name of specifiersOf(file))
        if (files.includes(name.replace(/\.js$/, '.ts')) || files.includes(name)) imported.add(roomOf(name));
    }
    expect(importsBy.size).toBeGreaterThan(40);
    const below = (room: string, seen = new Set<string>()): Set<string> => {
      for (const imported of importsBy.get(room) ?? []) if (imported !== room && !seen.has(imported)) below(imported, seen.add(imported));
      return seen;
    };
    expect([...importsBy.keys()].filter((room) => below(room).has(room))).toEqual([]);
  });
});

describe('acceptor/', () => {
  it('compares ballots in one way: Redis has no file that its scripts could share, so each has the same lines', () => {
    const scripts = tracked.filter((file) => /^acceptor\/.*\.lua$/.test(file));
    const comparisons = scripts.map((file) => /-- Whether ballot a is above[^]*?\nend\n/.exec(read(file))?.[0]);
    expect(scripts).toEqual(['acceptor/accept.lua', 'acceptor/greet.lua', 'acceptor/prepare.lua']);
    expect(comparisons[0]).toContain('local function above(a, b)');
    expect(new Set(comparisons).size).toBe(1);
  });
});

describe('the images', () => {
  it('are built from what compiles by itself', () => {
    const folders = [...read('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, name = '']) => name);
    const isThere = (place: string): boolean => folders.some((folder) => place === folder || place.startsWith(`${folder}/`));
    const files = tracked.filter((file) => file.endsWith('.ts') && isThere(file));
    expect(files.length).toBeGreaterThan(200);
    const missing = files.flatMap((file) =>
      importsOf(file).flatMap((from) => (tracked.some((one) => one.startsWith(`${from}/`)) && !isThere(from) ? [`${file}: ${from}`] : [])),
    );
    expect(missing).toEqual([]);
  });
});

describe('src/', () => {
  it.each(Object.entries(ROOMS))('%s imports what it may, and nothing else', (room, others) => {
    const files = tracked.filter((file) => file.startsWith(`src/${room}/`));
    expect(files).not.toEqual([]);
    const allowed = [`src/${room}`, ...others.map((other) => (other in ROOMS ? `src/${other}` : other))];
    const strangers = files.flatMap((file) => importsOf(file).flatMap((from) => (allowed.includes(from) ? [] : [`${file}: ${from}`])));
    expect(strangers).toEqual([]);
  });

  it('has no other room', () => {
    const rooms = new Set(tracked.flatMap((file) => /^src\/(\w+)\//.exec(file)?.[1] ?? []));
    expect([...rooms].sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it('knows no command: who takes the library away has none of these scripts', () => {
    const commands = /run-control|run-client|fault\.sh|build-run|clear\.sh/;
    expect(tracked.filter((file) => file.startsWith('src/') && commands.test(read(file)))).toEqual([]);
  });

  it('protocol is read in one sitting: at most 500 lines of code', () => {
    const lines = tracked.filter((file) => file.startsWith('src/protocol/')).map(code);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(500);
  });
});

describe('playground/', () => {
  it('stands on the program and on what verifies it, and nothing stands on it', () => {
    const own = tracked.filter((file) => /^playground\/.*\.ts$/.test(file));
    expect(own).not.toEqual([]);
    const isAllowed = (from: string): boolean => /^(src|client|node-control|verification|playground)(\/|$)/.test(from);
    expect(own.flatMap((file) => importsOf(file).flatMap((from) => (isAllowed(from) ? [] : [`${file}: ${from}`])))).toEqual([]);
    const others = tracked.filter((file) => /^(src|proposer|client|node-control|local|verification|bench)\/.*\.ts$/.test(file));
    expect(others.filter((file) => importsOf(file).some((from) => from.startsWith('playground')))).toEqual([]);
  });
});

describe('the clock of the machine', () => {
  it('says when something was, and never how long it took or may take: it can be put back by hours', () => {
    const programs = tracked.filter((file) => /^(src|proposer|client|local|node-control)\/.*\.(ts|js)$/.test(file));
    expect(programs.filter((file) => read(file).includes('Date.now()'))).toEqual([
      'node-control/page/browser/chart.ts',
      'node-control/page/server/observer.ts',
      'node-control/page/server/questions.ts',
      'node-control/state/collection-notes.ts',
      'proposer/admin-routes.ts',
      'proposer/watch.ts',
      'src/node/state-folder.ts',
      'src/redis/acceptor-link.ts',
      'src/redis/greeter.ts',
      'src/redis/trouble.ts',
    ]);
  });
});

describe('node-control/', () => {
  it('judges in safety/ without asking anybody: it imports the protocol, and nothing else', () => {
    const files = tracked.filter((file) => file.startsWith('node-control/safety/'));
    expect(files).not.toEqual([]);
    const allowed = ['node-control/safety', 'src/protocol', 'node:*'];
    expect(files.flatMap((file) => importsOf(file).flatMap((from) => (allowed.includes(from) ? [] : [`${file}: ${from}`])))).toEqual([]);
  });
});
