import { BadRequest } from '../src/store/errors.js';
import { type ErrorCode, HTTP_STATUS, isErrorCode } from '../src/http/status.js';
import { InternalError, MethodNotAllowed, NotFound, PayloadTooLarge, Unauthorized } from '../src/http/errors.js';
import { IncomingMessage, ServerResponse, type ServerOptions, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';
import { bearerCheck } from '../src/node/bearer-token.js';
import { ClusterError } from '../src/protocol/errors.js';
import { refusalOf } from '../src/http/refusal.js';
import { HEADERS_MAX_BYTES } from './limits.js';
import { wayOutOf } from './way-out.js';

/** After a 503 a client may try again at once; a second is the shortest that the header can say besides. */
const RETRY_AFTER_SECONDS = 1;

/** An app that takes paths byte for byte, and answers everything that has no route, and every error, in JSON. */
export function createApp(log: Logger, addRoutes: (app: Express) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  addRoutes(app);
  app.use((request) => {
    throw new NotFound(`nothing is at ${request.path}`);
  });
  app.use(answerError(log));
  return app;
}

/**
 * The classes of which a server of this app makes requests and answers. Express changes the prototype of each one that is of another class, and whatever
 * Node and it do with that one afterwards takes longer (docs/benchmarks.md).
 */
export function madeFor(app: Express): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Asked extends IncomingMessage> extends ServerResponse<Asked> {}
  for (const [part, made] of Object.entries({ request: ExpressRequest.prototype, response: ExpressResponse.prototype })) {
    Object.setPrototypeOf(made, Reflect.get(app, part) as object);
    Reflect.set(app, part, made);
  }
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}

/** As `response.json`, which looks up at each answer what is always the same here. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** Lets through who sends this token, and answers 401 to everybody else, whatever the path. */
export function onlyBearerOf(token: string): RequestHandler {
  const isBearer = bearerCheck(token);
  return (request, response, next) => {
    if (isBearer(request.headers.authorization)) {
      next();
      return;
    }
    response.set('WWW-Authenticate', 'Bearer');
    throw new Unauthorized('this port takes requests with its token only: Authorization: Bearer …');
  };
}

const listed = (methods: readonly string[]): string => new Intl.ListFormat('en-GB').format(methods);

/** The last route of a path: every method that the path does not have. */
export function onlyMethods(...methods: string[]): RequestHandler {
  return (request, response) => {
    response.set('Allow', methods.join(', '));
    throw new MethodNotAllowed(`${request.method} is not for this path; it takes ${listed(methods)}`);
  };
}

/** What Node's parser refuses before there is a request, and what it is called here. */
const UNPARSABLE: Readonly<Record<string, [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HeadersTooLarge', `the headers have more than ${HEADERS_MAX_BYTES} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['RequestTimeout', 'the request was not complete in time'],
};

/** The answer to bytes that are no request: a path with a raw space or with raw bytes beyond ASCII, say, or one that does not come to its end. */
export function answerUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = UNPARSABLE[error.code ?? ''] ?? [
    'BadRequest',
    `not an HTTP request (${error.message}); in a path, every byte beyond ASCII is percent-encoded`,
  ];
  const body = JSON.stringify({ code, message });
  const status = `${HTTP_STATUS[code]} ${STATUS_CODES[HTTP_STATUS[code]] ?? ''}`;
  const head = [`HTTP/1.1 ${status}`, 'Content-Type: application/json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`];
  socket.end(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);
}

/** RFC 9112, section 3.2. */
export function answerHostless(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  answerJson(response, HTTP_STATUS.BadRequest, { code: 'BadRequest', message: 'a request of HTTP/1.1 has a Host header' });
}

function answerError(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request: Request, response: Response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const error = asClusterError(thrown);
    if (error instanceof InternalError) log.error({ err: thrown, method: request.method }, 'a request failed by a fault of this proposer');
    const { status, body, message } = refusalOf(error);
    const wayOut = wayOutOf(error);
    if (status === 503) response.set('Retry-After', String(RETRY_AFTER_SECONDS));
    answerJson(response, status, wayOut === undefined ? body : { ...body, message: `${message}; ${wayOut}` });
  };
}

/** Express and its body parser throw errors with a `status` for what a client did wrong. */
function asClusterError(thrown: unknown): ClusterError {
  if (thrown instanceof ClusterError && isErrorCode(thrown.code)) return thrown;
  const status = thrown instanceof Error && 'status' in thrown ? Number(thrown.status) : 500;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (status === 413) return new PayloadTooLarge('the body is too large');
  if (status >= 400 && status < 500) return new BadRequest(message);
  return new InternalError('this proposer failed; its log says why');
}
