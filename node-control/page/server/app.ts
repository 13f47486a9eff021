import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { NodeSettings } from '../../nodes/settings.js';
import type { Buttons } from './buttons.js';
import { KeyInspector } from './key-inspector.js';
import { KeyWriter } from './key-writer.js';
import type { Observer } from './observer.js';
import { onlyOwnHost } from './own-host.js';
import { onlyOwnPage } from './own-page.js';
import { playground } from './playground.js';
import { Twin } from './twin.js';
import { type Supposed, whatIf } from './what-if.js';

/** As proposers have it. */
const KEY_MAX_BYTES = 512;

const { resolve } = createRequire(import.meta.url);
const PAGE = dirname(resolve('#page/index.html'));
/** What the page links to. */
const DOCS = ['reconfiguration.md', 'tour.md'];
const PROJECT = join(PAGE, '../../..');
/** As they were compiled. */
const PAGE_SCRIPTS = join(PROJECT, 'dist/node-control/page/browser');
const UPLOT = dirname(resolve('uplot'));

/** A key, and a value for each proposer. */
const WRITE_MAX_BYTES = 4_096;

/** Nothing from elsewhere, nothing inline, in no frame. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const KEY_WANTED = `a key has 1 to ${KEY_MAX_BYTES} bytes`;

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== '' && Buffer.byteLength(key) <= KEY_MAX_BYTES;
}

/**
 * What the control node serves: the page, what it shows, and two things that it does: it writes a key, which is no more than a client of the proposers
 * may, and it lets them watch one.
 * @param buttons what it does besides for whoever has the token; without them nothing
 */
export function createApp(nodes: NodeSettings, observer: Observer, buttons?: Buttons): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(onlyOwnHost);
  app.use((_request, response, next) => {
    response.set(HEADERS);
    next();
  });

  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });

  app.get('/events', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    const stop = observer.watch((snapshot) => send(response, buttons ? { ...snapshot, buttons: buttons.offer } : snapshot));
    response.on('close', stop);
  });

  const inspector = new KeyInspector(nodes);
  app.get('/keys', async (request, response) => {
    const { key } = request.query;
    if (!isKey(key)) response.status(400).json({ message: KEY_WANTED });
    else if (inspector.isBusy(key)) response.status(503).json({ message: 'too many keys are looked at already' });
    else response.set('cache-control', 'no-store').json(await inspector.look(key));
  });

  app.get('/what-if', ({ query }, response) => {
    const named = (text: unknown): string[] => nodes.acceptors.filter((name) => typeof text === 'string' && text.split(',').includes(name));
    const supposed: Supposed = { lost: named(query['lost']), prepare: named(query['prepare']), accept: named(query['accept']) };
    response
      .set('cache-control', 'no-store')
      .json(observer.told.map(({ name, configuration }) => ({ name, ...whatIf(name, configuration, supposed) })));
  });

  const writer = new KeyWriter(nodes.proposers, nodes.addresses);
  app.post('/writes', onlyOwnPage, express.json({ limit: WRITE_MAX_BYTES }), async (request, response) => {
    const { key, values } = request.body as { key?: unknown; values?: unknown };
    const given = typeof values === 'object' && values !== null ? Object.entries(values) : [];
    if (!isKey(key) || given.some(([, value]) => typeof value !== 'string'))
      response.status(400).json({ message: `${KEY_WANTED}, and a value is text` });
    else if (writer.isBusy) response.status(503).json({ message: 'too many keys are written already' });
    else response.set('cache-control', 'no-store').json(await writer.write(key, new Map(given as [string, string][])));
  });

  const twin = new Twin(nodes);
  app.get('/twin', async (_request, response) => {
    response.set('cache-control', 'no-store').json(await twin.look());
  });
  app.post('/twin', onlyOwnPage, express.json({ limit: WRITE_MAX_BYTES }), async (request, response) => {
    const { key } = request.body as { key?: unknown };
    if (key !== null && !isKey(key)) response.status(400).json({ message: `${KEY_WANTED}; null watches none` });
    else if (twin.isBusy) response.status(503).json({ message: 'too many changes of what is watched are under way' });
    else response.set('cache-control', 'no-store').json(await twin.watch(key ?? undefined));
  });

  if (buttons) {
    app.post('/commands', onlyOwnPage, onlyWithToken(buttons), express.json({ limit: WRITE_MAX_BYTES }), async (request, response) => {
      const { command } = request.body as { command?: unknown };
      const pressed = await buttons.press(typeof command === 'string' ? command : '');
      response.set('cache-control', 'no-store');
      if ('status' in pressed) response.status(pressed.status).json({ message: pressed.message });
      else response.json(pressed);
    });
  }

  app.use(playground(HEADERS['Content-Security-Policy']));
  app.get(
    DOCS.map((name) => `/docs/${name}`),
    ({ path }, response) => response.type('text/plain').sendFile(basename(path), { root: join(PROJECT, 'docs') }),
  );
  app.use('/uplot', express.static(UPLOT));
  app.use(express.static(PAGE), express.static(PAGE_SCRIPTS));
  app.use(answerError);
  return app;
}

function onlyWithToken(buttons: Buttons): RequestHandler {
  return (request, response, next) => {
    if (buttons.isAllowed(request.headers.authorization)) next();
    else response.status(401).set('WWW-Authenticate', 'Bearer').json({ message: 'that is not the admin token: nothing was done' });
  };
}

/** In place of Express' own, which sends the stack, and logs it whoever is at fault. */
const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const { status = 500 } = error;
  if (status >= 500) process.stderr.write(`control: ${error.stack ?? error.message}\n`);
  response.status(status).json({ message: STATUS_CODES[status] });
};

/** A page that does not read, on a machine that sleeps say, gets nothing until it does: what waits for it stays small. */
function send(response: Response, event: unknown): void {
  if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify(event)}\n\n`);
}
