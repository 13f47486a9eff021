import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressesFrom, parseAddress, readAddresses, splitAddress } from '../../../src/node/addresses.js';

describe('an address', () => {
  it('is the name itself, unless a map says otherwise', () => {
    expect(addressesFrom()('acceptor-1:6379')).toBe('acceptor-1:6379');
    const local = addressesFrom({ 'acceptor-1:6379': '127.0.0.1:16379' });
    expect(local('acceptor-1:6379')).toBe('127.0.0.1:16379');
    expect(local('acceptor-2:6379')).toBe('acceptor-2:6379');
    expect(local('__proto__')).toBe('__proto__');
  });

  it('is split at its last colon', () => {
    expect(splitAddress('acceptor-1:6379')).toEqual({ host: 'acceptor-1', port: 6379 });
    expect(splitAddress('::1:1')).toEqual({ host: '::1', port: 1 });
  });

  it.each(['acceptor-1', ':6379', 'a:', 'a:0', 'a:65536', 'a:x', 'a:1.5', ''])('is never read from "%s"', (text) => {
    expect(() => splitAddress(text)).toThrow(TypeError);
    for (const scheme of ['', 'redis://', 'rediss://', 'redis+cluster://']) expect(() => parseAddress(scheme + text)).toThrow(TypeError);
  });

  it.each([
    ['a:1', false, false],
    ['redis://a:1', false, false],
    ['rediss://a:1', true, false],
    ['redis+cluster://a:1', false, true],
  ])('of an acceptor says what speaks there: %s', (text, tls, isCluster) => {
    expect(parseAddress(text)).toEqual({ host: 'a', port: 1, tls, isCluster, isConfigAsked: true });
    expect(parseAddress(`${text}?config=unchecked`)).toEqual({ host: 'a', port: 1, tls, isCluster, isConfigAsked: false });
  });

  it.each([
    'http://a:1',
    '://a:1',
    'REDIS://a:1',
    'constructor://a:1',
    'redis://a:1/0',
    'redis://a:1?x=y',
    'redis://a:1?config=checked',
    'redis://a:1?config=unchecked?config=unchecked',
    'redis://a:1,b:2',
    'redis://redis://a:1',
  ])('of an acceptor is never read from "%s"', (text) => {
    expect(() => parseAddress(text)).toThrow(TypeError);
  });

  it.each(['redis://user:hunter2@a:1', 'user:hunter2@a:1', 'rediss://:hunter2@a:1', 'redis+cluster://hunter2@a:1'])(
    'holds no password, and the refusal says where it belongs and does not repeat it: %s',
    (text) => {
      expect(() => parseAddress(text)).toThrow(/REDIS_PASSWORD_FILE a file with the password/);
      expect(() => parseAddress(text)).not.toThrow(/hunter2/);
    },
  );

  it('in a map is checked when the map is read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'addresses-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'map.json');
    writeFileSync(path, JSON.stringify({ 'acceptor-1:6379': 'redis://x:y@a:1' }));
    expect(() => readAddresses(path)).toThrow(/holds no user and no password/);
    writeFileSync(path, JSON.stringify({ 'acceptor-1:6379': 'rediss://a:1' }));
    expect(readAddresses(path)('acceptor-1:6379')).toBe('rediss://a:1');
    expect(readAddresses(undefined)('a:1')).toBe('a:1');
  });
});
