import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

let place: string;
/** What the stand-ins did, a line each. */
const done = (): string => (existsSync(join(place, 'done')) ? readFileSync(join(place, 'done'), 'utf8') : '');

beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'closed-')));
});
afterEach(() => rmSync(place, { recursive: true }));

function script(name: string, text: string): void {
  const path = join(place, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/usr/bin/env bash\n${text}\n`);
  chmodSync(path, 0o755);
}

/** Runs a script and reads no more once it has said `last`: what it prints after that nobody takes. Resolves with its exit code. */
function typeAndLeave(path: string, args: readonly string[], last: string, signal?: NodeJS.Signals): Promise<number | null> {
  const env = { ...process.env, PATH: `${place}/programs:${process.env['PATH'] ?? ''}`, TMPDIR: place, PLACE: place, CLUSTER: '' };
  const child = spawn(join(place, path), args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  onTestFinished(() => {
    // What a script that failed has left.
    if (child.pid !== undefined) spawn('kill', ['-KILL', '--', `-${child.pid}`], { stdio: 'ignore' });
  });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
    if (!said.includes(last)) return;
    child.stdout.destroy();
    child.stderr.destroy();
    if (signal !== undefined && child.pid !== undefined) process.kill(-child.pid, signal);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve) => child.on('exit', (code) => resolve(code)));
}

/** As a program in Go does it, which ends where it cannot write. */
const SAY = 'say() { echo "$1" >&2 || exit 141; }';

it.each([
  ['of nobody', undefined, 141],
  ['that was interrupted, and its reader with it', 'SIGINT', 130],
] as const)('the tour %s removes its cluster, and says so to nobody', async (_title, signal, code) => {
  cpSync(join(root, 'tour.sh'), join(place, 'tour.sh'));
  script('build-run.sh', 'echo "  proposer-1  http://127.0.0.1:1"');
  script('clear.sh', 'set -e; echo removed a node; echo removed a folder; echo cleared >>"$PLACE/done"');
  script('programs/curl', 'sleep 0.2');
  script('node-control/run-control.sh', 'echo done');
  expect(await typeAndLeave('tour.sh', ['--local'], '== One acceptor', signal)).toBe(code);
  // What an earlier tour may have left, and this one's.
  expect(done()).toBe('cleared\ncleared\n');
  expect(existsSync(join(place, `caspaxos-tour.${process.getuid?.()}.pid`))).toBe(false);
});

it.each([
  ['that nobody reads any more', undefined, 'Remove everything', 141],
  ['whose logs nobody reads any more', undefined, 'a line', 141],
  ['that was interrupted, and its reader with it', 'SIGINT', 'a line', 0],
] as const)('a cluster in Docker %s is stopped whole', async (_title, signal, last, code) => {
  for (const path of ['build-run.sh', 'node-control/scripts', 'acceptor']) cpSync(join(root, path), join(place, path), { recursive: true });
  script(
    'programs/docker',
    `${SAY}
    case "$*" in
      *' up '*) touch "$PLACE/up" ;;
      *' stop') say 'Container acceptor-1 Stopping'; sleep 0.2; say 'Container acceptor-1 Stopped'; rm "$PLACE/up"; echo stopped >>"$PLACE/done" ;;
      *' logs '*) while sleep 0.1; do echo a line || exit 141; done ;;
      ps*) if [ -e "$PLACE/up" ]; then echo node; fi ;;
    esac`,
  );
  script('node-control/run-control.sh', 'true');
  expect(await typeAndLeave('build-run.sh', ['--docker'], last, signal)).toBe(code);
  expect(done()).toBe('stopped\n');
});
