import { expect, it } from 'vitest';
import { type Ballot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import { type Memory, MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { describeAcceptor } from '../acceptor-conformance.js';
import { describeIdentity } from '../identity-conformance.js';

const memory: Memory = { registers: new Map() };
const acceptor = new MemoryAcceptor(memory);
describeAcceptor('the in-memory acceptor', () => acceptor);
describeIdentity(
  'the in-memory acceptor',
  () => acceptor,
  async ({ meant, present }) => {
    if (present === undefined) delete memory.identity;
    else memory.identity = present;
    return new MemoryAcceptor(memory, meant);
  },
);

it('a prepare must be above the accepted ballot too, should the promise be lower', async () => {
  const b = (counter: number): Ballot => ({ era: 1, counter, proposer: 1, incarnation: 1 });
  acceptor.registers.set('k', { promise: ZERO_BALLOT, ballot: b(9), value: 'v' });
  expect(await acceptor.prepare('k', b(5))).toEqual({ ok: false, conflict: b(9) });
  expect(await acceptor.prepare('k', b(10))).toEqual({ ok: true, ballot: b(9), value: 'v' });
});
