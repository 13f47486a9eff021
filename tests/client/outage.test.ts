import { describe, expect, it } from 'vitest';
import { Outage } from '../../client/outage.js';
import { NetworkError, type Refusal } from '../../src/http/client.js';
import type { ErrorCode } from '../../src/http/status.js';

const refusal = (code: ErrorCode): Refusal => ({ ok: false, status: 503, code, message: 'as the test wants it', body: {} });

describe('an outage', () => {
  const watched = () => {
    const notes: [kind: string, text: string][] = [];
    return { outage: new Outage((kind, text) => notes.push([kind, text])), texts: () => notes.map(([, text]) => text), notes };
  };

  it('is told once when it begins, with what a proposer answers, and once when it is over, however often it happens', () => {
    const { outage, texts, notes } = watched();
    outage.see(1, 7);
    for (const second of [2, 3, 4, 5]) {
      outage.hear('proposer-1:8080', refusal('PrepareError'));
      outage.see(second, 0);
    }
    const begun =
      'no write is confirmed since second 1: proposer-1:8080 answers PrepareError: as the test wants it. The way out: ./run-control.sh status';
    expect(texts()).toEqual([begun]);
    outage.see(6, 1);
    expect(texts()).toEqual([begun, 'second 6: writes are confirmed again']);
    outage.hear('proposer-2:8080', new NetworkError('ECONNRESET'));
    for (const second of [7, 8, 9]) outage.see(second, 0);
    expect(texts()[2]).toMatch(/^no write is confirmed since second 6: proposer-2:8080 does not answer\. /);
    // Whoever shows only the first note of a kind shows all of these.
    expect(new Set(notes.map(([kind]) => kind)).size).toBe(3);
  });

  it('is none in one empty second, without a failure, and where other clients were faster', () => {
    const { outage, texts } = watched();
    outage.see(1, 7);
    outage.hear('proposer-1:8080', refusal('PrepareError'));
    outage.see(2, 0);
    outage.see(3, 1);
    outage.see(5, 0);
    for (const code of ['VersionMismatch', 'ConcurrentRequestError', 'KeyNotFound'] as const) outage.hear('proposer-1:8080', refusal(code));
    outage.see(6, 0);
    expect(texts()).toEqual([]);
  });

  it('is left to the note that says how to configure a cluster before the first write, and told after it', () => {
    const { outage, texts } = watched();
    outage.hear('proposer-1:8080', refusal('NotConfigured'));
    for (const second of [0, 1, 2, 3]) outage.see(second, 0);
    expect(texts()).toEqual([]);
    outage.see(4, 1);
    outage.hear('proposer-1:8080', refusal('NotConfigured'));
    for (const second of [5, 6]) outage.see(second, 0);
    expect(texts()).toHaveLength(1);
  });
});
