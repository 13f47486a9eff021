import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { JOINED_PROPOSER } from './joined-proposer.js';
import { ProposerProcess } from './proposer-process.js';

const project = fileURLToPath(new URL('..', import.meta.url));
const STARTER = join(project, 'tests/start-with-code-cache.mjs');
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
  await joinProposer();
}

/**
 * To find, to read and to compile some 400 modules is most of a proposer's start, and the tests start hundreds. So they start one file, which keeps what
 * was compiled. The proposers of local/, of the README and of the tour are the files as they are.
 */
async function joinProposer(): Promise<void> {
  const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modifiedMs(JOINED_PROPOSER) > Math.max(modifiedMs(join(project, 'dist/.built')), modifiedMs(STARTER))) return;
  const whole = await rolldown({ input: join(project, 'dist/proposer/main.js'), platform: 'node' });
  const { output } = await whole.generate({ format: 'cjs', codeSplitting: false, minify: WITHOUT_SPACES });
  await whole.close();
  const [{ code }] = output;
  const folder = dirname(JOINED_PROPOSER);
  // Another run of the tests may be starting proposers meanwhile: this one is complete before it is there.
  const made = mkdtempSync(join(project, 'dist/joining-'));
  writeFileSync(join(made, 'proposer.code'), `(() => {${code.replace(/[^\0-\x7f]/g, escaped)}})()`);
  writeFileSync(join(made, 'proposer.mjs'), readFileSync(STARTER));
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  // This one compiles, and leaves what it has compiled.
  const first = await ProposerProcess.prepare();
  await first.start();
  await first.end('SIGTERM');
  await first.stop();
}

/** Means the same in a text, a pattern or a template. All of it ASCII, the source takes V8 half the memory, and less time. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
