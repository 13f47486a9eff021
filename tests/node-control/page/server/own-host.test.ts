import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onlyOwnHost } from '../../../../node-control/page/server/own-host.js';
import { send } from '../../../raw-http.js';

let server: Server;
beforeAll(async () => {
  const app = express().use(onlyOwnHost);
  app.get('/', (_request, response) => void response.send('seen'));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

const statusFor = async (host: string): Promise<number> =>
  (await send(`127.0.0.1:${(server.address() as AddressInfo).port}`, { path: '/', headers: { host } })).status;

it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '[::1]:8080', '10.0.0.7', 'control:8080'])(
  'lets through what was sent to %s',
  async (host) => {
    expect(await statusFor(host)).toBe(200);
  },
);

it.each(['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', 'controls', '[evil]:1'])(
  'refuses what was sent to "%s", which somebody else may let point here',
  async (host) => {
    expect(await statusFor(host)).toBe(403);
  },
);
