import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import type { CodePlace } from '../../playground/ladder/code.js';

/** Says which pieces of the program ran between two moments, as the engine counts it. */
export class Coverage {
  readonly #session = new Session();

  static async begin(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#post('Profiler.enable');
    await coverage.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return coverage;
  }

  /** Since the last time. */
  async take(): Promise<(place: CodePlace) => boolean> {
    const { result } = (await this.#post('Profiler.takePreciseCoverage')) as Profiler.TakePreciseCoverageReturnType;
    return ({ file, begin }) =>
      result.some(({ url, functions }) => {
        if (!url.endsWith(`/${file}`)) return false;
        const text = readFileSync(url.startsWith('file:') ? fileURLToPath(url) : url, 'utf8');
        const line = text.split('\n').findIndex((each) => each.trimStart().startsWith(begin));
        const offset = text
          .split('\n')
          .slice(0, line + 1)
          .join('\n').length;
        const around = functions.filter(({ ranges: [whole] }) => whole && whole.startOffset <= offset && offset <= whole.endOffset);
        const size = ({ ranges: [whole] }: Profiler.FunctionCoverage): number => (whole ? whole.endOffset - whole.startOffset : 0);
        const [innermost] = around.toSorted((a, b) => size(a) - size(b));
        return innermost?.ranges.some(({ count }) => count > 0) ?? false;
      });
  }

  async end(): Promise<void> {
    await this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #post(method: string, parameters: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }
}
