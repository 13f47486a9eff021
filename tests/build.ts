import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));

/**
 * Tests that start programs start them from dist/: it is built once before all of them, so that no stale one is tested. What is built already is
 * left alone: test.sh runs programs of it beside the tests.
 */
export default function build(): void {
  execFileSync('bash', ['-c', '. node-control/scripts/cluster.sh && build_for_host'], { cwd: project, stdio: 'inherit' });
  // The compiler leaves what it made of a source that has moved since; it would be packed.
  for (const room of ['src', 'node-control', 'verification', 'playground']) {
    for (const name of readdirSync(join(project, 'dist', room), { recursive: true, encoding: 'utf8' })) {
      const source = /^(.*?)\.(js|js\.map|d\.ts)$/.exec(name)?.[1];
      if (source !== undefined && !existsSync(join(project, room, `${source}.ts`))) rmSync(join(project, 'dist', room, name));
    }
  }
}
