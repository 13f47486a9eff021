import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests that start programs start them from dist/: it is built once before all of them, so that no stale one is tested. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit' });
}
