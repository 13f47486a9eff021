import { createServer, type ServerResponse } from 'node:http';
import type { FunnelLine } from '../src/http/funnel-stream.js';

/** Offers the lines of the funnel as server-sent events, for the control node's page. Nothing is kept: who comes late sees what comes then. */
export class FunnelServer {
  readonly #readers = new Set<ServerResponse>();
  readonly #server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  });

  /** Without a stream where the port is taken: another client of this machine has it, and both are to run. */
  listen(host: string, port: number): void {
    this.#server.on('error', () => undefined);
    this.#server.listen(port, host);
  }

  send(line: FunnelLine): void {
    for (const reader of this.#readers) reader.write(`data: ${JSON.stringify(line)}\n\n`);
  }

  close(): void {
    this.#server.close();
    for (const reader of this.#readers) reader.end();
  }
}
