import { History, type RecordedOperation, type ClientOutcome, type Request } from '../../../verification/checkers/history.js';

/**
 * A history told line by line, each line an event, 10 ms after the one before:
 *
 *     A put 0 a         client A begins to write "a" over version 0
 *     A put 1 b over a  … to write "b" over version 1, which it saw as "a"
 *     B get             client B begins to read
 *     B 1 a             its answer: version 1, "a" (`B 0`: the key does not exist)
 *     A written         also: refused, unknown
 *     # …               a remark
 */
export function told(text: string): RecordedOperation[] {
  let nowMs = 0;
  const history = new History(() => nowMs);
  const running = new Map<string, (outcome: ClientOutcome) => void>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    nowMs += 10;
    const [client = '', what = '', ver = '', val = '', over, onto] = line.split(/\s+/);
    if (what === 'get' || what === 'put') {
      if (running.has(client)) throw new Error(`${client} is not done yet: ${line}`);
      if (over !== undefined && over !== 'over') throw new Error(`what is this: ${line}`);
      const request: Request = what === 'get' ? { kind: 'get' } : { kind: 'cas', ver: Number(ver), val, onto: onto ?? null };
      running.set(client, history.invoke(client, 'k', request));
    } else {
      const answer = running.get(client);
      if (!answer) throw new Error(`${client} did not ask: ${line}`);
      running.delete(client);
      answer(outcomeFrom(what, ver));
    }
  }
  return history.operations;
}

function outcomeFrom(what: string, val: string): ClientOutcome {
  if (what === 'written' || what === 'refused' || what === 'unknown') return { kind: what };
  if (!/^-?[\d.]+$/.test(what)) throw new Error(`what is this: ${what}`);
  return { kind: 'state', ver: Number(what), val: val === '' ? null : val };
}
