import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

/** An engine that says its version and takes every other question for ever. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hanging-docker-'));
  writeFileSync(join(folder, 'docker'), '#!/bin/sh\nif [ "$1" = version ]; then echo 1.2.3; else exec sleep 300; fi\n');
  chmodSync(join(folder, 'docker'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function type(script: string, ...words: string[]): { code: number | null; stdout: string; stderr: string } {
  const { PATH = '', ...others } = process.env;
  const { status, stdout, stderr } = spawnSync(join(ROOT, script), words, {
    env: { ...others, PATH: `${folder}${delimiter}${PATH}`, CLUSTER: 'docker', COMPOSE_PROJECT_NAME: 'hangs', DOCKER_TIMEOUT_S: '1' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

describe('a Docker engine that takes questions and answers none', () => {
  test.each([
    ['clear.sh', 'What Docker holds stays; see above.'],
    ['node-control/run-control.sh', 'Whether a cluster runs there is not known.', 'status'],
    ['build-run.sh', 'Whether a cluster runs there is not known.', '--stop'],
  ])('is not waited for without end: %s', (script, end, ...words) => {
    const { code, stdout, stderr } = type(script, ...words);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Docker has not answered for 1 s: docker ps .*\nType it yourself; where that hangs, too, restart the engine\./);
    expect(stderr.endsWith(`${end}\n`)).toBe(true);
  });
});
