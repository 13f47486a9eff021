/** A small reader of EDN: maps, vectors, texts, keywords, whole numbers and nil. It knows nothing of what is to be read. */
export type Edn = null | string | number | Keyword | readonly Edn[] | ReadonlyMap<string, Edn>;

export class Keyword {
  constructor(readonly name: string) {}
}

const TOKEN = /[\s,]*([{}[\]]|"(?:[^"\\]|\\.)*"|:[\w-]+|-?\d+|nil)/y;

/** All that stands in a file, one after the other. */
export function readEdn(text: string): Edn[] {
  const tokens: string[] = [];
  for (let at = 0; text.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new SyntaxError(`no EDN: ${text.slice(at, at + 40)}`);
    tokens.push(token);
  }
  const all: Edn[] = [];
  while (tokens.length > 0) all.push(readOne(tokens));
  return all;
}

function readOne(tokens: string[]): Edn {
  const token = tokens.shift() ?? '';
  if (token === '[') return readUntil(']', tokens);
  if (token === '{') {
    const items = readUntil('}', tokens);
    return new Map(items.flatMap((name, at) => (name instanceof Keyword && at % 2 === 0 ? [[name.name, items[at + 1] ?? null]] : [])));
  }
  if (token === 'nil') return null;
  if (token.startsWith(':')) return new Keyword(token.slice(1));
  if (token.startsWith('"')) return JSON.parse(token) as string;
  if (/^-?\d/.test(token)) return Number(token);
  throw new SyntaxError(`not here: ${token}`);
}

function readUntil(end: string, tokens: string[]): Edn[] {
  const items: Edn[] = [];
  while (tokens[0] !== end) items.push(readOne(tokens));
  tokens.shift();
  return items;
}
