import type { Store } from '../../src/store/store.js';
import type { Versioned } from '../../src/store/versioned.js';
import { stateText } from './wording.js';

/** What a client asks of a proposer. */
export type ClientAsks = { readonly key: string } & (
  | { readonly kind: 'get' }
  | { readonly kind: 'cas'; readonly ver: number; readonly val: string }
  | { readonly kind: 'add'; readonly by: number; readonly name?: string }
  | { readonly kind: 'delete' }
);

/** To a word nothing can be added. */
export class NoNumber extends Error {}

/** Reads what a transcript has behind the name of a proposer. @throws TypeError for what no client can ask */
export function askedIn(text: string): ClientAsks {
  const [, kind, key = '', more = ''] = /^(get|cas|add|delete) ([a-z]{1,8})(?: (.+))?$/.exec(text) ?? [];
  if ((kind === 'get' || kind === 'delete') && more === '') return { kind, key };
  const [, ver, val = ''] = /^(\d{1,4}) "([A-Za-z0-9 ]{1,24})"$/.exec(more) ?? [];
  if (kind === 'cas' && ver !== undefined) return { kind, key, ver: Number(ver), val };
  const [, by, name] = /^(\d{1,9})(?: as ([a-z]{1,8}))?$/.exec(more) ?? [];
  if (kind === 'add' && by !== undefined) return { kind, key, by: Number(by), ...(name !== undefined && { name }) };
  throw new TypeError(`unknown command: ${text}`);
}

/** As a transcript has it. */
export function askedText(asked: ClientAsks): string {
  const { kind, key } = asked;
  if (kind === 'cas') return `cas ${key} ${asked.ver} ${JSON.stringify(asked.val)}`;
  if (kind === 'add') return `add ${key} ${asked.by}${asked.name === undefined ? '' : ` as ${asked.name}`}`;
  return `${kind} ${key}`;
}

export function perform(store: Store, asked: ClientAsks): Promise<Versioned> {
  const { key } = asked;
  switch (asked.kind) {
    case 'get':
      return store.get(key);
    case 'cas':
      return store.cas(key, asked.ver, asked.val);
    case 'delete':
      return store.delete(key);
    case 'add': {
      const { by, name } = asked;
      const change = (val: unknown): number => {
        if (typeof val === 'string') throw new NoNumber(`${JSON.stringify(val)} is no number`);
        return Number(val ?? 0) + by;
      };
      return store.write(key, { change, ...(name !== undefined && { name: { name, print: `add ${by}` } }) });
    }
  }
}

/** What the client is told. */
export function answerText({ kind }: ClientAsks, versioned: Versioned): string {
  if (kind === 'cas') return `written, version ${versioned.ver}`;
  if (kind === 'delete') return `deleted, version ${versioned.deletedVer}`;
  return kind === 'get' ? stateText(versioned) : `done: ${stateText(versioned)}`;
}
