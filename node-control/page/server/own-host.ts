import { isIP } from 'node:net';
import type { RequestHandler } from 'express';

/** What the control node is called, besides its addresses: on its own machine, and in Compose. */
const NAMES = ['localhost', 'control'];

/**
 * Refuses a request that was sent to another name. A page of somebody else can let its own name point here (DNS rebinding), and the browser then
 * takes both for one origin; it cannot let an address do so.
 */
export const onlyOwnHost: RequestHandler = (request, response, next) => {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) > 0 || NAMES.includes(name.toLowerCase())) {
    next();
    return;
  }
  response.status(403).type('text/plain').send('Not by this name: use localhost, or the address.\n');
};
