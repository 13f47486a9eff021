import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playground } from '../../node-control/page/server/playground.js';
import { DIST, ENTRIES, graphOf, PROJECT } from './modules.js';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'";
const text = (name: string): string => readFileSync(join(PROJECT, name), 'utf8');

describe('the files of the playground', () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    const app = express();
    app.use(playground(POLICY));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('are those of the program: what the control node serves is to the byte what the compiler made', async () => {
    const { files } = graphOf(ENTRIES);
    expect(files.filter((file) => file.startsWith('src/protocol/')).length).toBeGreaterThan(10);
    expect(files.filter((file) => /^(node-control\/commands|verification\/(checkers|simulation))\//.test(file)).length).toBeGreaterThan(20);
    for (const file of files) {
      const response = await fetch(`${url}/dist/${file}`);
      expect([file, response.status, response.headers.get('content-type')]).toEqual([file, 200, expect.stringContaining('javascript')]);
      expect(Buffer.from(await response.arrayBuffer()).equals(readFileSync(join(DIST, file))), file).toBe(true);
    }
  });

  it('import nothing that a browser has not, but for what there is a stand-in for, and not each other in a circle', () => {
    const { packages, names, cycles } = graphOf(ENTRIES);
    const [, map = ''] = /<script type="importmap">([^]*?)<\/script>/.exec(text('playground/index.html')) ?? [];
    const { imports } = JSON.parse(map) as { imports: Record<string, string> };
    expect([...packages].toSorted()).toEqual(Object.keys(imports).toSorted());
    expect(new Set(Object.values(imports))).toEqual(new Set(['../dist/playground/browser/stand-ins.js']));
    const standIns = [
      ...text('playground/browser/stand-ins.ts').matchAll(/^export (?:(default)\b|(?:class|function) (\w+)|\{([^}]+)\})/gm),
    ];
    const given = standIns.flatMap(([, byDefault, declared, listed = '']) => [
      byDefault ?? declared ?? '',
      ...listed.split(',').map((name) => name.replace(/.* as /, '').trim()),
    ]);
    expect(given).toEqual(expect.arrayContaining([...names]));
    expect(names.size).toBeGreaterThan(3);
    expect(cycles).toEqual([]);
  });

  it('come into the image: its builder has the source of each', () => {
    const sent = [...text('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, name]) => `${name}/`);
    expect(graphOf(ENTRIES).files.filter((file) => !sent.some((folder) => file.startsWith(folder)))).toEqual([]);
  });

  it('may run no other script: none that is inline but the import map, and none of a text', async () => {
    const response = await fetch(`${url}/playground/`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self' blob: 'sha256-[\w+/=]{44}'; style-src 'self'$/);
    expect([...(await response.text()).matchAll(/<script(?![^>]*\bsrc=)[^>]*>|<style|\bstyle=|\bon\w+=/g)].map(([found]) => found)).toEqual(
      ['<script type="importmap">'],
    );
  });

  it('are all that is served', async () => {
    for (const path of [
      '/dist/src/index.d.ts',
      '/dist/.built',
      '/node-control/page/browser/index.html',
      '/docs/transcripts/README.md',
      '/package.json',
    ])
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404]);
  });

  it('are at most 3,000 lines', async () => {
    const { execFileSync } = await import('node:child_process');
    const own = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'playground'], { cwd: PROJECT, encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(own.reduce((sum, file) => sum + text(file).trimEnd().split('\n').length, 0)).toBeLessThanOrEqual(3_000);
  });
});
