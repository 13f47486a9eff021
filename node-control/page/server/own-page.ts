import type { RequestHandler } from 'express';

/**
 * Refuses what the page itself did not send. A browser says of each request that may change something where it comes from, and asks beforehand
 * whether it may send JSON elsewhere, which nobody here answers. Programs send no origin: they reach the proposers in the same way.
 */
export const onlyOwnPage: RequestHandler = (request, response, next) => {
  const { origin, host = '' } = request.headers;
  const isOwn = origin === undefined || origin === `http://${host}`;
  if (isOwn && request.headers['sec-fetch-site'] !== 'cross-site' && request.is('application/json')) {
    next();
    return;
  }
  response.status(403).json({ message: 'only the page itself may send this, as JSON' });
};
