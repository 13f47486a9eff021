import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { JOINED_PROPOSER } from './joined-proposer.js';

const project = fileURLToPath(new URL('..', import.meta.url));

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
 * To find and to read some 400 modules is more than half of a proposer's start, and the tests start hundreds. The proposers of local/, of the README and
 * of the tour are the files as they are.
 */
async function joinProposer(): Promise<void> {
  const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modifiedMs(JOINED_PROPOSER) > modifiedMs(join(project, 'dist/.built'))) return;
  const whole = await rolldown({ input: join(project, 'dist/proposer/main.js'), platform: 'node', external: ['pino-pretty'] });
  // Another run of the tests may be starting this one meanwhile.
  const file = `${JOINED_PROPOSER}.${process.pid}`;
  await whole.write({ file, codeSplitting: false });
  await whole.close();
  renameSync(file, JOINED_PROPOSER);
}
