import { createServer, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Express } from 'express';
import { answerHostless, answerUnparsable, madeFor } from './http.js';
import * as limits from './limits.js';

export interface Serving {
  /** Takes no connection any more, ends each one with its next answer, and resolves when all are closed. */
  close(): Promise<void>;
}

/** A request without a body is not read as a stream. Node 24 has this option; its types do not yet, and Node 20 ignores it. */
const WITHOUT_BODY: ServerOptions & { readonly optimizeEmptyRequests: true } = { optimizeEmptyRequests: true };

/**
 * @param variable that takes another port, for the message
 * @throws where nobody can listen there
 */
export async function serve(app: Express, host: string, port: number, variable: string): Promise<Serving> {
  const server = createServer({
    ...madeFor(app),
    ...WITHOUT_BODY,
    keepAliveTimeout: limits.KEEP_ALIVE_MS,
    maxHeaderSize: limits.HEADERS_MAX_BYTES,
    headersTimeout: limits.HEADERS_TIMEOUT_MS,
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: limits.SLOW_SENDERS_CHECK_MS,
    // It is refused below: Node's own answer is no JSON.
    requireHostHeader: false,
  });
  server.maxConnections = limits.CONNECTIONS_MAX;
  server.on('clientError', answerUnparsable);

  const unanswered = new Set<ServerResponse>();
  // One listener for all of them.
  const forget = function (this: ServerResponse): void {
    unanswered.delete(this);
  };
  let isClosing = false;
  server.on('request', (request, response) => {
    unanswered.add(response);
    response.on('close', forget);
    if (isClosing) response.shouldKeepAlive = false;
    if (request.headers.host === undefined && request.httpVersion !== '1.0') answerHostless(response);
    else app(request, response);
  });
  // What is expected besides `100-continue` may be ignored (RFC 9110, section 10.1.1); Node would answer 417, and no JSON.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response));
  await listen(server, host, port, variable);

  const close = (): Promise<void> => {
    isClosing = true;
    for (const response of unanswered) response.shouldKeepAlive = false;
    return closeWhenIdle(server);
  };
  return { close };
}

function listen(server: Server, host: string, port: number, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error) => reject(new Error(`cannot listen on port ${port}: ${error.message}. ${variable} takes another one.`)));
    server.listen(port, host, () => resolve());
  });
}

/**
 * A connection that is idle now may have its next request under way already, and closing it would reset that request: so it is closed by the
 * answer to that request, and only where none comes, by us.
 */
function closeWhenIdle(server: Server): Promise<void> {
  return new Promise((resolve) => {
    let sweep: NodeJS.Timeout | undefined;
    const wait = setTimeout(() => {
      // A process that stood still reads first what came meanwhile: a connection with a request to be read is not idle.
      sweep = setInterval(() => setImmediate(() => server.closeIdleConnections()), 20);
    }, limits.IDLE_AT_SHUTDOWN_MS);
    // That of an HTTP server would close what is idle now.
    NetServer.prototype.close.call(server, () => {
      clearTimeout(wait);
      clearInterval(sweep);
      resolve();
    });
  });
}
