import type { RecordedOperation } from '../checkers/history.js';
import { ednHistory } from './edn.js';
import { jepsenLog } from './jepsen-log.js';

/** By the ends of files' names. Each writes the history of one key. */
export const HISTORY_FORMATS: Readonly<Record<string, (history: readonly RecordedOperation[]) => string>> = {
  edn: ednHistory,
  log: jepsenLog,
};

/**
 * What is to be written where a history is wanted in this file. Tools check one register at a time, so that each key has a file of its own if there
 * are several: for `run.edn` they are `run.KEY.edn`.
 *
 * @param file its name ends as one of {@link HISTORY_FORMATS}
 * @returns for each file its text, or why there is none
 */
export function historyFiles(file: string, history: readonly RecordedOperation[]): { file: string; text?: string; why?: string }[] {
  const [, stem = file, ending = ''] = /^(.*)\.(\w+)$/.exec(file) ?? [];
  const write = HISTORY_FORMATS[ending];
  if (!write)
    throw new TypeError(`a history is written as ${Object.keys(HISTORY_FORMATS).join(' or ')}, by the end of the file's name: ${file}`);
  const keys = [...new Set(history.map(({ key }) => key))];
  return keys.map((key) => {
    const name = keys.length === 1 ? file : `${stem}.${key}.${ending}`;
    try {
      return { file: name, text: write(history.filter((operation) => operation.key === key)) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { file: name, why: error.message };
    }
  });
}
