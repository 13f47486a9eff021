import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { answerJson, createApp, madeFor } from '../../proposer/http.js';

const prototypes = (...parts: readonly [IncomingMessage, ServerResponse]): unknown[] =>
  parts.map((part) => Object.getPrototypeOf(part) as unknown);

it('makes requests and answers as Express wants them, so that it gives them no other prototype', async () => {
  let inRoute: unknown[] = [];
  const app = createApp(pino({ level: 'silent' }), (routes) => {
    routes.get('/path', (request, response) => {
      inRoute = prototypes(request, response);
      answerJson(response, 200, { path: request.path, isOfApp: request.app === app && response.app === app });
    });
  });
  let asMade: unknown[] = [];
  const server = createServer(madeFor(app), (request, response) => {
    asMade = prototypes(request, response);
    app(request, response);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path`);
  expect(await answer.json()).toEqual({ path: '/path', isOfApp: true });
  for (const [at, prototype] of inRoute.entries()) expect(prototype).toBe(asMade[at]);
  expect(inRoute).toHaveLength(2);
});
