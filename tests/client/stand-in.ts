import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a request goes wrong. `lost` and `doubled` are answered as a success, and are none. */
export type Fault =
  | { readonly status: number; readonly code: string }
  | 'commit error, applied'
  | 'commit error, not applied'
  | 'reset, applied'
  | 'reset, not applied'
  | 'lost'
  | 'doubled'
  | 'hangs';

export interface SeenRequest {
  readonly proposer: number;
  readonly method: string;
  readonly key: string;
  readonly prefer: string | undefined;
  readonly atMs: number;
}

interface Register {
  readonly ver: number;
  readonly val: unknown;
}

/** Proposers over one store in memory, with the interface of design.md section 4, and faults on demand. */
export class StandIn {
  readonly store = new Map<string, Register>();
  readonly seen: SeenRequest[] = [];
  /** Asked for each request but a write of an old version; undefined: all is well. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  readonly #servers: Server[] = [];
  readonly #ports: number[] = [];

  /** @param count of proposers, named proposer-1:8080 and so on */
  static async start(count = 2): Promise<StandIn> {
    const standIn = new StandIn();
    for (let index = 0; index < count; index += 1) standIn.#ports.push(await standIn.listen(index, 0));
    return standIn;
  }

  /** From the logical names to the ports. */
  get addressMap(): Record<string, string> {
    return Object.fromEntries(this.#ports.map((port, index) => [`proposer-${index + 1}:8080`, `127.0.0.1:${port}`]));
  }

  /** Opens a proposer again where it was. */
  async revive(index: number): Promise<void> {
    await this.listen(index, this.#ports[index] ?? 0);
  }

  /** From now on connections to it are refused. */
  async kill(index: number): Promise<void> {
    const server = this.#servers[index];
    server?.closeAllConnections();
    if (server?.listening) await new Promise((resolve) => server.close(resolve));
  }

  async close(): Promise<void> {
    for (const index of this.#servers.keys()) await this.kill(index);
  }

  private async listen(index: number, port: number): Promise<number> {
    const server = createServer((request, response) => void this.#answer(index, request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.#servers[index] = server;
    return (server.address() as AddressInfo).port;
  }

  async #answer(proposer: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? '';
    const key = decodeURIComponent((request.url ?? '').replace('/kv/', ''));
    const seen = { proposer, method, key, prefer: request.headers['prefer']?.toString(), atMs: performance.now() };
    this.seen.push(seen);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const present = this.store.get(key) ?? { ver: 0, val: null };
    const wanted = method === 'PUT' ? (JSON.parse(Buffer.concat(chunks).toString()) as { ver: number; val: number }) : undefined;
    // Before the faults: a fault for the n-th write must not be spent on one that another client was faster with.
    const missed = wanted !== undefined && wanted.ver !== present.ver;
    const fault = missed ? undefined : this.fault(seen);

    if (fault === 'hangs') return;
    if (fault === 'reset, not applied') request.socket.destroy();
    else if (fault === 'commit error, not applied') reply(response, 504, { code: 'CommitError', message: 'unknown' });
    else if (typeof fault === 'object') reply(response, fault.status, { code: fault.code, message: 'as the test wants it' });
    else if (missed) reply(response, 409, { code: 'VersionMismatch', message: 'another version', ...present });
    else if (wanted) this.#write(key, wanted, fault, response);
    else if (present.ver === 0) reply(response, 404, { code: 'KeyNotFound', message: 'no such key', ver: 0 });
    else reply(response, 200, { key, ...present });
  }

  #write(key: string, { ver, val }: { ver: number; val: number }, fault: Fault | undefined, response: ServerResponse): void {
    if (fault !== 'lost') this.store.set(key, { ver: ver + 1, val: fault === 'doubled' ? val + 1 : val });
    if (fault === 'reset, applied') response.destroy();
    else if (fault === 'commit error, applied') reply(response, 504, { code: 'CommitError', message: 'unknown' });
    else reply(response, ver === 0 ? 201 : 200, { key, ver: ver + 1, val });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A fault for the n-th PUT (from 1), and for that one only. */
export function onPut(nth: number, fault: Fault): StandIn['fault'] {
  let puts = 0;
  return ({ method }) => {
    if (method !== 'PUT') return undefined;
    puts += 1;
    return puts === nth ? fault : undefined;
  };
}
