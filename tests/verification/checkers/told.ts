import { History, type RecordedOperation, type ClientOutcome, type Request } from '../../../verification/checkers/history.js';

/**
 * A history told line by line, each line an event, 10 ms after the one before:
 *
 *     A put 0 a         client A begins to write "a" over version 0
 *     A put 1 b over a  … to write "b" over version 1, which it saw as "a"
 *     B get             client B begins to read
 *     B 1 a             its answer: version 1, "a" (`B 0`: the key does not exist)
 *     A written         also: refused, unknown
 *     A set a           … to write "a" whatever there is; A append a, A add 5, A delete, and A append a 3, A delete 3 (only version 3) alike
 *     A written 4 a+b   the version that it made, and what that holds, where it is told; - for nothing
 *     A 4               also: the key was deleted, with version 4
 *     A put 0 a as N    under a name
 *     collection        from here on tombstones may be collected
 *     # …               a remark
 */
export function told(text: string): RecordedOperation[] {
  return toldHistory(text).operations;
}

export function toldHistory(text: string): History {
  let nowMs = 0;
  const history = new History(() => nowMs);
  const running = new Map<string, (answer: string, ...told: string[]) => void>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    nowMs += 10;
    const [all = '', name] = line.split(' as ');
    const [client = '', what = '', ...words] = all.split(/\s+/);
    const request = requestFrom(what, words, name);
    if (request) {
      if (running.has(client)) throw new Error(`${client} is not done yet: ${line}`);
      const settle = history.invoke(client, 'k', request);
      running.set(client, (answer, ...told) => settle(outcomeFrom(request, answer, told)));
    } else if (client === 'collection') {
      history.noteCollection();
    } else {
      const answer = running.get(client);
      if (!answer) throw new Error(`${client} did not ask: ${line}`);
      running.delete(client);
      answer(what, ...words);
    }
  }
  return history;
}

function requestFrom(what: string, [first = '', second = '', over, onto]: string[], name: string | undefined): Request | undefined {
  const named = name === undefined ? {} : { name };
  switch (what) {
    case 'get':
      return { kind: 'get' };
    case 'put':
      if (over !== undefined && over !== 'over') throw new Error(`what is this: ${over}`);
      return { kind: 'cas', ver: Number(first), val: second, onto: onto?.replaceAll('+', ' ') ?? null, ...named };
    case 'set':
    case 'append':
    case 'add':
      return { kind: what, val: first, ...(second !== '' && { ver: Number(second) }), ...named };
    case 'delete':
      return { kind: 'delete', ...(first !== '' && { ver: Number(first) }), ...named };
    default:
      return undefined;
  }
}

function outcomeFrom(request: Request, what: string, [first, second]: string[]): ClientOutcome {
  if (what === 'refused' || what === 'unknown') return { kind: what };
  if (what === 'written') {
    const ver = first === undefined ? ('ver' in request ? (request.ver ?? 0) : 0) + 1 : Number(first);
    return { kind: 'written', ver, ...(second !== undefined && { val: second === '-' ? null : second.replaceAll('+', ' ') }) };
  }
  if (!/^-?[\d.]+$/.test(what)) throw new Error(`what is this: ${what}`);
  return { kind: 'state', ver: Number(what), val: first === undefined || first === '' ? null : first.replaceAll('+', ' ') };
}
