import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';

/** Screenshots, one after the other, each with the time that it is looked at; `develop` makes an animated WebP of them, without loss. */
export class Film {
  readonly #page: Page;
  readonly #folder = mkdtempSync(join(tmpdir(), 'film-'));
  readonly #frames: { readonly file: string; readonly ms: number }[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** How long it lasts. */
  get ms(): number {
    return this.#frames.reduce((sum, { ms }) => sum + ms, 0);
  }

  async frame(ms: number): Promise<void> {
    const file = join(this.#folder, `${this.#frames.length}.png`);
    await this.#page.screenshot({ path: file });
    this.#frames.push({ file, ms });
  }

  dropLast(): void {
    this.#frames.pop();
  }

  /** @returns the size of the file in bytes. Rejects where the encoder is missing. */
  async develop(file: string): Promise<number> {
    const frames = this.#frames.flatMap((frame) => ['-d', String(frame.ms), frame.file]);
    try {
      await promisify(execFile)('img2webp', ['-loop', '0', '-lossless', '-m', '6', ...frames, '-o', file]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new Error('img2webp is not installed: apt-get install webp', { cause: error });
      throw error;
    }
    return statSync(file).size;
  }

  forget(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
