import { afterEach, expect, it } from 'vitest';
import { Ledger, NotANumber } from '../../client/ledger.js';
import { Proposers } from '../../client/proposers.js';
import { read } from '../../client/reading.js';
import { addressesFrom } from '../../src/node/addresses.js';
import { systemTime } from '../../src/store/system-time.js';
import { StandIn } from './stand-in.js';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function reader() {
  const standIn = await StandIn.start(1);
  const proposers = new Proposers(['proposer-1:8080'], addressesFrom(standIn.addressMap), systemTime);
  opened.push(standIn, proposers);
  const ledger = new Ledger(['a']);
  const proposer = proposers.choose(0, 'a');
  if (!proposer) throw new Error('there is one');
  return { standIn, ledger, read: () => read(proposers, ledger, proposer, 'a') };
}

it('reads what a key holds, and enters it into the ledger with its version', async () => {
  const { standIn, ledger, read: readA } = await reader();
  expect(await readA()).toEqual({ ok: true, ver: 0, val: 0 });
  standIn.store.set('a', { ver: 7, val: 3 });
  expect(await readA()).toEqual({ ok: true, ver: 7, val: 3 });
  expect([ledger.version('a'), ledger.tallies()[0]?.start]).toEqual([7, 0]);
});

it('takes a key that was deleted for zero, and remembers the version of its deletion', async () => {
  const { standIn, ledger, read: readA } = await reader();
  standIn.fault = () => ({ status: 404, code: 'KeyNotFound', deletedVer: 9 });
  expect(await readA()).toEqual({ ok: true, ver: 0, val: 0 });
  expect(ledger.version('a')).toBe(9);
});

it('tells what refused it, and changes nothing in the ledger then; throws where a key holds no number', async () => {
  const { standIn, ledger, read: readA } = await reader();
  standIn.fault = () => ({ status: 503, code: 'NotConfigured' });
  expect(await readA()).toMatchObject({ ok: false, code: 'NotConfigured' });
  expect(ledger.version('a')).toBeUndefined();
  standIn.fault = () => undefined;
  standIn.store.set('a', { ver: 7, val: 'text' });
  await expect(readA()).rejects.toThrow(NotANumber);
});
