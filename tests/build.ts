import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { JOINED, joined } from './joined-programs.js';
import { ProposerProcess } from './proposer-process.js';

const project = fileURLToPath(new URL('..', import.meta.url));
/** Names stay, so that a trace can be read. */
const WITHOUT_SPACES = { compress: false, mangle: false, codegen: { removeWhitespace: true } };

/**
 * Tests that start programs start them from dist/: it is built once before all of them, so that no stale one is tested. What is built already is
 * left alone: test.sh runs programs of it beside the tests.
 */
export default async function build(): Promise<void> {
  execFileSync('bash', ['-c', '. node-control/scripts/cluster.sh && build_for_host'], { cwd: project, stdio: 'inherit' });
  // The compiler leaves what it made of a source that has moved since; it would be packed.
  for (const room of ['src', 'node-control', 'verification', 'playground']) {
    for (const name of readdirSync(join(project, 'dist', room), { recursive: true, encoding: 'utf8' })) {
      const source = /^(.*?)\.(js|js\.map|d\.ts)$/.exec(name)?.[1];
      if (source !== undefined && !existsSync(join(project, room, `${source}.ts`))) rmSync(join(project, 'dist', room, name));
    }
  }
  await joinPrograms();
}

/**
 * To find, to read and to compile some hundred modules is most of a program's start, and the tests start hundreds of programs. So they start one file for
 * each, which keeps what was compiled. The programs of local/, of the README and of the tour are the files as they are.
 */
async function joinPrograms(): Promise<void> {
  const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const folder = dirname(joined('proposer'));
  const madeOf = ['dist/.built', 'tests/build.ts', 'tests/joined-programs.ts', 'tests/start-with-code-cache.mjs'];
  if (modifiedMs(folder) > Math.max(...madeOf.map((path) => modifiedMs(join(project, path))))) return;
  // Another run of the tests may be starting programs meanwhile: these are complete before they are there.
  const made = mkdtempSync(join(project, 'dist/joining-'));
  for (const [program, input] of Object.entries(JOINED)) {
    writeFileSync(join(made, `${program}.code`), `(() => {${await joinedCode(realpathSync(join(project, 'dist', input)))}})()`);
    copyFileSync(join(project, 'tests/start-with-code-cache.mjs'), join(made, `${program}.mjs`));
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  // These compile, and leave what they have compiled.
  const first = await ProposerProcess.prepare();
  await first.start();
  await first.end('SIGTERM');
  await first.stop();
  spawnSync(process.execPath, [joined('client'), '--help']);
  spawnSync(process.execPath, [joined('service')], { env: { PORT: 'none, so that it ends as soon as all is loaded' } });
}

async function joinedCode(input: string): Promise<string> {
  const whole = await rolldown({ input, platform: 'node', plugins: [awaitingInside(input)] });
  const { output } = await whole.generate({ format: 'cjs', codeSplitting: false, minify: WITHOUT_SPACES });
  await whole.close();
  return output[0].code.replace(/[^\0-\x7f]/g, escaped);
}

/** A script cannot wait outside of all functions, as the first module of a program may. */
function awaitingInside(first: string): Plugin {
  return {
    name: 'awaiting-inside',
    transform(code, module) {
      if (module !== first) return undefined;
      const imports = /^(?:import [^\n]*\n)*/.exec(code)?.[0] ?? '';
      return { code: `${imports}void (async () => {${code.slice(imports.length)}\n})();`, map: null };
    },
  };
}

/** Means the same in a text, a pattern or a template. All of it ASCII, the source takes V8 half the memory, and less time. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
