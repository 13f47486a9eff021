import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../node-control/', import.meta.url));
/** An engine with a control node, in which a program is never there to be found: a signal ends "docker exec", which then says 0, and Compose, which says 255. */
const DOCKER = `#!/bin/bash
case "$1 \${*: -1}" in
  ps*)
    if [ -n "\${DOCKER_STALLS:-}" ]; then
      trap 'exit 1' INT TERM
      : >"$DOCKER_STALLS"
      for _ in {1..20}; do sleep 0.1; done
    fi
    echo container
    ;;
  version*) echo 1.2.3 ;;
  inspect*) echo running ;;
  image*) ;;
  'compose version') echo 2.30.0 ;;
  compose* | 'exec status')
    if [ "\${*: -1}" = fails ]; then exit 255; fi
    trap '[ "$1" = compose ] && exit 255; exit 0' INT TERM
    echo asked
    for _ in {1..600}; do sleep 0.1; done
    ;;
  *) exit 1 ;;
esac
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'interrupted-docker-'));
  writeFileSync(join(folder, 'docker'), DOCKER);
  chmodSync(join(folder, 'docker'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(script: string, ...words: readonly string[]): ChildProcess {
  const { PATH = '', ...others } = process.env;
  const env = { ...others, CLUSTER: 'docker', COMPOSE_PROJECT_NAME: 'interrupted', PATH: `${folder}${delimiter}${PATH}` };
  return spawn(join(SCRIPTS, script), words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

test.each([
  ['run-control.sh', 'status', 'SIGINT', 130],
  ['run-control.sh', 'status', 'SIGTERM', 143],
  ['run-client.sh', '--no-retry', 'SIGINT', 130],
  ['run-client.sh', '--no-retry', 'SIGTERM', 143],
] as const)('%s %s that %s ends before it was begun in the container ends with %i', async (script, word, signal, expected) => {
  const command = start(script, word);
  const ended = once(command, 'close');
  if (command.stdout) await once(command.stdout, 'data');
  command.kill(signal);
  expect((await ended)[0]).toBe(expected);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a start that %s ends while Docker is asked ends with %i, and starts nothing', async (signal, expected) => {
  const [stalls, data] = ['stalls', 'data'].map((name) => join(folder, `${name}-${signal}`)) as [string, string];
  const { PATH = '', ...others } = process.env;
  const env = { ...others, CLUSTER: '', CLUSTER_DIR: data, DOCKER_STALLS: stalls, PATH: `${folder}${delimiter}${PATH}` };
  const start = spawn(join(SCRIPTS, '../build-run.sh'), ['--local', '--detach'], { env, detached: true, stdio: 'ignore' });
  const ended = once(start, 'close');
  await expect.poll(() => existsSync(stalls), { timeout: 20_000 }).toBe(true);
  // As a terminal does it: to all that run in the foreground.
  process.kill(-(start.pid ?? 0), signal);
  expect((await ended)[0]).toBe(expected);
  expect(existsSync(data)).toBe(false);
});

test('what Compose says by itself stays', async () => {
  expect((await once(start('run-client.sh', 'fails'), 'close'))[0]).toBe(255);
});

test.each(['PROPOSERS', 'ACCEPTORS'])('%s of the terminal, which does not reach the container, is not passed over', (variable) => {
  const env = { ...process.env, CLUSTER: 'docker', PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`, [variable]: 'proposer-1' };
  const { status, stdout, stderr } = spawnSync(join(SCRIPTS, 'run-control.sh'), ['status'], { env, encoding: 'utf8', timeout: 30_000 });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    new RegExp(`^${variable} of this terminal does not reach the control node.* in\\n.*docker-compose.yml.*unset ${variable}\\n$`),
  );
});
