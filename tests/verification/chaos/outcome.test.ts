import { type ErrorCode, HTTP_STATUS } from '../../../src/http/status.js';
import type { Versioned } from '../../../src/store/versioned.js';
import { describe, expect, it } from 'vitest';
import { ImpossibleAnswer } from '../../../verification/chaos/impossible-answer.js';
import { type ChaosKey, KEYS } from '../../../verification/chaos/key-kinds.js';
import { outcomeOf } from '../../../verification/chaos/outcome.js';
import type { Answer } from '../../../src/http/client.js';
import type { Request } from '../../../verification/checkers/history.js';

const [LIST, MEMBERS, NUMBER] = KEYS as [ChaosKey, ChaosKey, ChaosKey];
const of = (request: Request, key = LIST): { key: ChaosKey; request: Request } => ({ key, request });
const GET = of({ kind: 'get' });
const CAS = of({ kind: 'cas', ver: 4, val: 'new', onto: 'old' });
const DELETE = of({ kind: 'delete' });
const refusal = (code: ErrorCode, details: Record<string, unknown> = {}): Answer<Versioned> => ({
  ok: false,
  status: HTTP_STATUS[code],
  code,
  message: '',
  body: { code, message: '', ...details },
});
const ok = (ver: number, val: unknown): Answer<Versioned> => ({ ok: true, status: 200, body: { ver, val } });

describe('the outcome of a write', () => {
  it('is written where it was acknowledged as it was asked for', () => {
    expect(outcomeOf(CAS, ok(5, ['new']))).toEqual({ kind: 'written', ver: 5 });
    expect(() => outcomeOf(CAS, ok(6, ['new']))).toThrow(ImpossibleAnswer);
    expect(() => outcomeOf(CAS, ok(5, ['other']))).toThrow(ImpossibleAnswer);
  });

  it('is the present state where it did not match', () => {
    expect(outcomeOf(CAS, refusal('VersionMismatch', { ver: 7, val: ['x'] }))).toEqual({ kind: 'state', ver: 7, val: 'x' });
    expect(outcomeOf(CAS, refusal('VersionMismatch', { ver: 0, val: null }))).toEqual({ kind: 'state', ver: 0, val: null });
    expect(() => outcomeOf(CAS, refusal('VersionMismatch'))).toThrow(ImpossibleAnswer);
  });

  it('is told with the version of the deletion, where there is one', () => {
    const deleted: Answer<Versioned> = { ok: true, status: 200, body: { ver: 0, val: null, deletedVer: 9 } };
    expect(outcomeOf(DELETE, deleted)).toEqual({ kind: 'written', ver: 9, val: null });
    expect(outcomeOf(DELETE, refusal('KeyNotFound', { ver: 0, deletedVer: 9 }))).toEqual({ kind: 'state', ver: 9, val: null });
    expect(outcomeOf(DELETE, refusal('KeyNotFound', { ver: 0 }))).toEqual({ kind: 'state', ver: 0, val: null });
    expect(outcomeOf(CAS, refusal('VersionMismatch', { ver: 0, val: null, deletedVer: 9 }))).toEqual({ kind: 'state', ver: 9, val: null });
    const create = of({ kind: 'cas', ver: 0, val: 'new', onto: null });
    expect(outcomeOf(create, ok(10, ['new']))).toEqual({ kind: 'written', ver: 10 });
  });

  it('is told with the whole value, where it depends on what was there', () => {
    const word = (kind: 'append' | 'add', val: string, key: ChaosKey): { key: ChaosKey; request: Request } => of({ kind, val }, key);
    expect(outcomeOf(word('append', 'b', LIST), ok(5, ['a', 'b']))).toEqual({ kind: 'written', ver: 5, val: 'a b' });
    expect(outcomeOf(word('append', 'b', MEMBERS), ok(5, { a: true, b: true }))).toEqual({ kind: 'written', ver: 5, val: 'a b' });
    expect(outcomeOf(word('add', '3', NUMBER), ok(5, 8))).toEqual({ kind: 'written', ver: 5, val: '8' });
    // A long one is not kept for those who ask again.
    expect(outcomeOf(word('append', 'b', LIST), ok(5, undefined))).toEqual({ kind: 'written', ver: 5 });
    expect(() => outcomeOf(word('add', '3', NUMBER), ok(5, ['a']))).toThrow(ImpossibleAnswer);
  });

  it.each(['ChangeRefused', 'NameReused'] as const)('is never %s: nobody asks for that', (code) => {
    expect(() => outcomeOf(of({ kind: 'append', val: 'b' }), refusal(code))).toThrow(ImpossibleAnswer);
  });

  it.each(['PrepareError', 'ConcurrentRequestError', 'NotConfigured', 'StaleConfiguration', 'OutcomeForgotten'] as const)(
    'is refused after %s',
    (code) => {
      expect(outcomeOf(CAS, refusal(code))).toEqual({ kind: 'refused' });
    },
  );

  it.each(['CommitError', 'InternalError', 'Undocumented' as ErrorCode] as const)('is unknown after %s', (code) => {
    expect(outcomeOf(CAS, refusal(code))).toEqual({ kind: 'unknown' });
  });

  it('is unknown where no answer came', () => {
    expect(outcomeOf(CAS, undefined)).toEqual({ kind: 'unknown' });
  });
});

describe('the outcome of a read', () => {
  it('is the state', () => {
    expect(outcomeOf(GET, ok(3, ['x']))).toEqual({ kind: 'state', ver: 3, val: 'x' });
    expect(outcomeOf(GET, refusal('KeyNotFound', { ver: 0 }))).toEqual({ kind: 'state', ver: 0, val: null });
  });

  it('is nothing at all where it failed', () => {
    expect(outcomeOf(GET, refusal('PrepareError'))).toEqual({ kind: 'refused' });
    expect(outcomeOf(GET, undefined)).toEqual({ kind: 'unknown' });
  });

  it('is impossible where no client wrote it', () => {
    expect(() => outcomeOf(GET, ok(3, 17))).toThrow(ImpossibleAnswer);
    expect(() => outcomeOf(GET, ok(0, ['x']))).toThrow(ImpossibleAnswer);
    expect(() => outcomeOf(GET, ok(3, null))).toThrow(ImpossibleAnswer);
  });
});
