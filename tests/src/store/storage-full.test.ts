import { expect, it } from 'vitest';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { CommitError, PrepareError, TimedOut } from '../../../src/protocol/errors.js';
import { NotConnected, RefusedToRun } from '../../../src/redis/refusals.js';
import { fullIfSo, StorageFull } from '../../../src/store/storage-full.js';

const majority = { nodes: ['a', 'b', 'c'], quorum: 2 };
const all = { ...majority, quorum: 3 };
const configuration = (accept = majority): Configuration => ({ era: 2, prepare: majority, accept });
const full = new RefusedToRun('OOM', undefined);
const failedBy = (...reasons: Error[]): PrepareError => new PrepareError('0 of 3', {}, new AggregateError(reasons));

it('is what a write failed of where the acceptors that are full are in the way of every quorum by themselves', () => {
  expect(fullIfSo(failedBy(full, full), configuration())).toBeInstanceOf(StorageFull);
  expect(fullIfSo(failedBy(full), configuration(all))).toBeInstanceOf(StorageFull);
});

it('is not where another reason had to come to it, which may pass, nor for an unknown outcome', () => {
  const others = [
    failedBy(full),
    failedBy(full, new NotConnected()),
    failedBy(full, new TimedOut('late'), new RefusedToRun('READONLY', undefined)),
    new PrepareError('no cause'),
    new CommitError('unknown', { cause: new AggregateError([full, full, full]) }),
  ];
  for (const error of others) expect(fullIfSo(error, configuration())).toBe(error);
});
