import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { DelayedLink } from '../../bench/systems/delayed-link.js';
import { freePorts } from '../../bench/systems/system.js';
import { measureWan } from '../../bench/wan.js';

it('delays what is sent each way, and brings it in order', async () => {
  const echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const [port = NaN] = await freePorts(1);
  const link = await DelayedLink.open(port, (echo.address() as AddressInfo).port, 20);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    link.close();
    echo.close();
  });
  const sinceMs = performance.now();
  let received = '';
  let firstMs = NaN;
  let sent = '';
  socket.on('data', (chunk: Buffer) => {
    if (received === '') firstMs = performance.now() - sinceMs;
    received += chunk.toString();
  });
  for (let number = 0; number < 50; number += 1) {
    sent += `${number} `;
    socket.write(`${number} `);
    await new Promise(setImmediate);
  }
  await expect.poll(() => received).toBe(sent);
  expect(firstMs).toBeGreaterThanOrEqual(40);
});

it('sees one round trip for a key that is written at home, and at least two for a write where another region wrote before', async () => {
  const options = { node: process.execPath, rounds: 1, seconds: 1, warmUpSeconds: 0, progress: () => undefined };
  const figures = await measureWan({ ...options, signal: new AbortController().signal });
  expect(figures.map(({ region, isHome }) => [region, isHome])).toEqual(
    ['West US 2', 'West Central US', 'Southeast Asia'].flatMap((region) => [
      [region, true],
      [region, false],
    ]),
  );
  for (const { nearestMs, isHome, tookMs } of figures) {
    // Each may be refused on a machine that is busy; none is faster than the way.
    for (const ms of Object.values(tookMs).flat()) expect(ms).toBeGreaterThanOrEqual(nearestMs);
    for (const ms of isHome ? [] : [...tookMs.compareAndSet, ...tookMs.change]) expect(ms).toBeGreaterThanOrEqual(2 * nearestMs);
  }
  expect(figures.flatMap(({ tookMs }) => Object.values(tookMs).flat()).length).toBeGreaterThan(0);
});
