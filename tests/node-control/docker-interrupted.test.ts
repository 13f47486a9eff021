import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../node-control/', import.meta.url));
/** An engine with a control node, in which a program is never there to be found: a signal ends "docker exec", which then says 0, and Compose, which says 255. */
const DOCKER = `#!/bin/bash
case "$1 \${*: -1}" in
  version*) echo 1.2.3 ;;
  ps*) echo container ;;
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

test('what Compose says by itself stays', async () => {
  expect((await once(start('run-client.sh', 'fails'), 'close'))[0]).toBe(255);
});
