import { describe, expect, it } from 'vitest';
import { addressesFrom, splitAddress } from '../../src/addresses.js';

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
  });
});
