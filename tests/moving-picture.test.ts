import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PICTURE = 'docs/page/moving.webp';
const BYTES_MAX = 2_000_000;
const SECONDS = { least: 10, most: 20 };

const read = (path: string): Buffer => readFileSync(new URL(`../${path}`, import.meta.url));

/** How long each frame of an animated WebP is shown, in milliseconds: https://developers.google.com/speed/webp/docs/riff_container */
function frames(file: Buffer): number[] {
  const found: number[] = [];
  for (let at = 12; at < file.length; at += 8 + file.readUInt32LE(at + 4) + (file.readUInt32LE(at + 4) % 2))
    if (file.toString('latin1', at, at + 4) === 'ANMF') found.push(file.readUIntLE(at + 8 + 12, 3));
  return found;
}

describe('the moving picture', () => {
  it('is small, and over soon', () => {
    const file = read(PICTURE);
    const seconds = frames(file).reduce((sum, ms) => sum + ms, 0) / 1_000;
    expect(file.length).toBeLessThan(BYTES_MAX);
    expect(seconds).toBeGreaterThanOrEqual(SECONDS.least);
    expect(seconds).toBeLessThanOrEqual(SECONDS.most);
  });

  it('stands in the first screen of README.md, with words for those who do not see it', () => {
    const [before = '', ...after] = read('README.md').toString().split(`](${PICTURE})`);
    expect(after).toHaveLength(1);
    expect(before.split('\n').length).toBeLessThanOrEqual(12);
    expect(before.slice(before.lastIndexOf('![')).length).toBeGreaterThan(200);
  });

  it('is neither in the package nor in the images', () => {
    const { files } = JSON.parse(read('package.json').toString()) as { files: string[] };
    const context = [
      ...read('.dockerignore')
        .toString()
        .matchAll(/^!(\S+)$/gm),
    ].map(([, name = '']) => name);
    expect([...files, ...context].filter((name) => PICTURE.startsWith(name.replace(/\*.*/, '')))).toEqual([]);
  });
});
