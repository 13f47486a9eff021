import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OWN = { CLUSTER: 'docker', COMPOSE_PROJECT_NAME: 'hangs', CLUSTER_DIR: '.cluster-hangs', DOCKER_TIMEOUT_S: '1' };
let folder: string;

/** An engine that says its version and takes every other question for ever. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hanging-docker-'));
  writeFileSync(join(folder, 'docker'), '#!/bin/sh\nif [ "$1" = version ]; then echo 1.2.3; else exec sleep 300; fi\n');
  chmodSync(join(folder, 'docker'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const OF_LOCAL = 'Whether a cluster runs there is not known. Where you mean local processes: export CLUSTER=local';

function type(
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { code: number | null; stdout: string; stderr: string } {
  const { PATH = '', ...others } = process.env;
  const { status, stdout, stderr } = spawnSync(join(ROOT, script), words, {
    env: { ...others, ...OWN, PATH: `${folder}${delimiter}${PATH}`, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

describe('a Docker engine that takes questions and answers none', () => {
  test.each([
    ['clear.sh', 'What Docker holds stays; see above.'],
    ['node-control/run-control.sh', OF_LOCAL, 'status'],
    ['build-run.sh', OF_LOCAL, '--stop'],
  ])('is not waited for without end: %s', (script, end, ...words) => {
    const { code, stdout, stderr } = type(script, words);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Docker has not answered for 1 s: docker ps .*\nType it yourself; where that hangs, too, restart the engine\./);
    expect(stderr.endsWith(`${end}\n`)).toBe(true);
  });

  test('is waited for by a clock that nobody can set', () => {
    // The shell's clock jumps ahead at each look, as it does where the machine's is set.
    const script = `root=/ project=p; . "$1"; kill() { SECONDS=$((SECONDS + 1000)); builtin kill "$@"; }; within 30 sh -c 'sleep 0.3; echo answered'`;
    const { status, stdout } = spawnSync('bash', ['-c', script, 'sh', join(ROOT, 'node-control/scripts/docker-cluster.sh')], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([status, stdout]).toEqual([0, 'answered\n']);
  });

  test('is in nobody’s way who means local processes', () => {
    const { code, stdout, stderr } = type('build-run.sh', ['--local', '--stop']);
    expect([code, stdout]).toEqual([0, 'No cluster runs.\n']);
    expect(stderr).toContain(OF_LOCAL);
    expect(type('node-control/run-control.sh', ['status'], { CLUSTER: 'local' }).stderr).toMatch(/^No local cluster runs /);
  });
});
