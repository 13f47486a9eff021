import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { playground } from '../../node-control/page/server/playground.js';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** For longer than a test takes. */
const KEPT_SECONDS = 600;

/**
 * The playground, as the control node serves it, without a cluster. A browser may keep what it loaded: it asked for some 200 modules again with each of
 * the addresses that a test opens, which took more than the tests.
 */
export async function servePlayground(): Promise<{ url: string; close: () => void }> {
  const app = express();
  app.use((_request, response, next) => {
    response.set('Cache-Control', `max-age=${KEPT_SECONDS}`);
    next();
  });
  app.use(playground(POLICY));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/playground/`, close: () => void server.close() };
}
