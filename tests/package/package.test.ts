import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisServer } from '../redis-server.js';

/** npm unpacks a hundred packages; a machine that is busy takes its time for that. */
const INSTALL_TIMEOUT_MS = 180_000;

const project = fileURLToPath(new URL('../..', import.meta.url));
const tool = (name: string): string => path.join(project, 'node_modules', '.bin', name);
const compiler = (name: 'typescript' | 'typescript-7'): string => path.join(project, 'node_modules', name, 'bin/tsc');
const textOf = (file: string): string => readFileSync(path.join(project, file), 'utf8');
const EXAMPLES = readdirSync(path.join(project, 'examples')).filter((name) => name.endsWith('.ts'));

/** The TypeScript that the README shows, block by block. */
const README_BLOCKS = [...textOf('README.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = '']) => block);

/** Where somebody else installs the package: it holds nothing of ours but that and the examples. */
const folder = mkdtempSync(path.join(tmpdir(), 'package-'));
let tarball = '';
let packed: string[] = [];

/** The page, and what it loads: of the program that it runs whole rooms. */
function playground(): string[] {
  const namesIn = (room: string, end: string): string[] =>
    readdirSync(path.join(project, room), { encoding: 'utf8' }).flatMap((name) => (name.endsWith(end) ? [`${room}/${name}`] : []));
  const rooms = [
    ...['checkers', 'histories', 'pictures', 'simulation', 'transcripts', 'variants'].map((room) => `verification/${room}`),
    ...['collection', 'commands', 'nodes', 'rescan', 'safety', 'state', 'step', 'terminal'].map((room) => `node-control/${room}`),
    ...['browser', 'stage', 'levels', 'ladder'].map((room) => `playground/${room}`),
  ];
  const shared = ['element.ts', 'on-demand/drawing.ts'].map((name) => `node-control/page/browser/${name}`);
  const compiled = ['client/random.ts', ...shared, ...rooms.flatMap((room) => namesIn(room, '.ts'))].map(
    (name) => `dist/${name.replace(/\.ts$/, '.js')}`,
  );
  const looks = [
    'playground/index.html',
    'playground/style.css',
    ...['icon.svg', 'style.css'].map((name) => `node-control/page/browser/${name}`),
  ];
  return [...compiled, ...looks, ...namesIn('docs/transcripts', '.txt')];
}

/** @returns what a program wrote. Rejects with it if the program fails. */
async function run(program: string, ...words: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, words, { cwd: folder })).stdout;
  } catch (error) {
    const { message, stdout, stderr } = error as Error & Record<'stdout' | 'stderr', string>;
    throw new Error(`${message}\n${stdout}${stderr}`, { cause: error });
  }
}

beforeAll(async () => {
  // Without scripts: what would be built was built before all tests, and other tests run it.
  const answer = await run('npm', 'pack', project, '--ignore-scripts', '--json', '--pack-destination', folder);
  const [pack] = JSON.parse(answer) as { filename: string; files: { path: string }[] }[];
  tarball = path.join(folder, pack?.filename ?? '');
  packed = pack?.files.map((file) => file.path) ?? [];
  const { devDependencies } = JSON.parse(textOf('package.json')) as { devDependencies: Record<string, string> };
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const nodeTypes = `@types/node@${devDependencies['@types/node'] ?? ''}`;
  await run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball, nodeTypes);
  for (const example of EXAMPLES) cpSync(path.join(project, 'examples', example), path.join(folder, example));
  README_BLOCKS.forEach((block, index) => writeFileSync(path.join(folder, `readme-${index}.ts`), block));
}, INSTALL_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('holds the compiled library with its types and maps, the Lua scripts, the playground, the licence and the README, and nothing else', () => {
    const sources = readdirSync(path.join(project, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const compiled = sources.flatMap((name) => ['.js', '.js.map', '.d.ts'].map((end) => `dist/src/${name.replace(/\.ts$/, end)}`));
    const rest = ['LICENSE', 'README.md', 'acceptor/accept.lua', 'acceptor/greet.lua', 'acceptor/prepare.lua', 'package.json'];
    expect(packed.toSorted()).toEqual([...compiled, ...playground(), ...rest].toSorted());
  });

  it('has nothing that publint or attw objects to', async () => {
    expect(await run(tool('publint'), '--strict', tarball)).toContain('All good!');
    // The package has no CommonJS, and says so; whether its types are elsewhere on the registry is not asked.
    await run(tool('attw'), '--profile', 'esm-only', '--no-definitely-typed', '--format', 'json', tarball);
  });

  it('names what went wrong by the file and the line of our source', () => {
    const map = readFileSync(path.join(folder, 'node_modules/caspaxos-demo/dist/src/index.js.map'), 'utf8');
    expect(JSON.parse(map)).toMatchObject({ sourcesContent: [textOf('src/index.ts')] });
  });
});

describe('with the package installed in an empty folder, an example', () => {
  it.each([
    { moduleResolution: 'bundler', module: 'preserve', noEmit: true, skipLibCheck: true },
    // Once the declarations themselves are checked, too, by the compiler that does it in a third of the time.
    { moduleResolution: 'nodenext', module: 'nodenext', noEmit: false, skipLibCheck: false },
  ])('and what the README shows have the types of the package (moduleResolution $moduleResolution)', async (resolution) => {
    const compilerOptions = { ...resolution, strict: true, target: 'es2023', lib: ['es2023'], types: ['node'], outDir: '.' };
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: [...EXAMPLES, ...README_BLOCKS.map((_, index) => `readme-${index}.ts`)] }),
    );
    await run(process.execPath, compiler(resolution.skipLibCheck ? 'typescript' : 'typescript-7'), '-p', folder);
  });

  it('three-acceptors-in-memory shows a write, a read, and a write that comes too late', async () => {
    const output = await run(process.execPath, 'three-acceptors-in-memory.js');
    expect(output.split('\n')).toEqual([
      "created:  { ver: 1, val: 'green' }",
      "read:     { ver: 1, val: 'green' }",
      "replaced: { ver: 2, val: 'blue' }",
      'refused:  the key is at version 2, not 1',
      '',
    ]);
  });

  // On a machine that stalls the other process may write so often meanwhile that an outcome stays unknown, which the example must not repeat.
  it('counter-on-redis counts the increments of both processes, also when it is run again', { retry: 1 }, async () => {
    const servers = await Promise.all([RedisServer.start(), RedisServer.start(), RedisServer.start()]);
    try {
      for (const total of [100, 200]) {
        const output = await run(process.execPath, 'counter-on-redis.js', ...servers.map(({ address }) => address));
        const counts = [...output.matchAll(/^proposer [12]: the counter is at (\d+) after 50/gm)].map(([, count]) => Number(count));
        expect(counts).toHaveLength(2);
        expect(Math.max(...counts)).toBe(total);
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });

  it('lock-with-fencing-token keeps out a holder whose lease ran out', async () => {
    const output = await run(process.execPath, 'lock-with-fencing-token.js');
    expect(output.split('\n')).toEqual([
      'alice: token 1 wrote "hello from alice"',
      'alice stalls, and her lease runs out',
      'bob:   token 2 wrote "hello from bob"',
      'alice: refused: token 1 is older than 2',
      '',
    ]);
  });

  it.each(EXAMPLES)('%s has 20 to 40 lines', (example) => {
    const lines = textOf(`examples/${example}`).trimEnd().split('\n').length;
    expect(lines).toBeGreaterThanOrEqual(20);
    expect(lines).toBeLessThanOrEqual(40);
  });
});

describe('the README', () => {
  it('shows the first example as it is', () => {
    expect(README_BLOCKS[0]).toBe(textOf('examples/three-acceptors-in-memory.ts'));
  });
});
