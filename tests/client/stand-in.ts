import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a request goes wrong. `lost` and `doubled` are answered as a success, and are none. */
export type Fault =
  | { readonly status: number; readonly code: string; readonly since?: number; readonly deletedVer?: number }
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
  /** As sent, with its quotes. */
  readonly name: string | undefined;
  /** Of a write: the body. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  readonly atMs: number;
}

interface Register {
  readonly ver: number;
  readonly val: unknown;
}

/** Proposers over one store in memory, with the HTTP interface of README.md, and faults on demand. */
export class StandIn {
  readonly store = new Map<string, Register>();
  readonly seen: SeenRequest[] = [];
  /** Asked for each request but a write of an old version; undefined: all is well. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** How long a request is under way: clients that are answered at once keep a processor busy. */
  latencyMs = 0;
  /** The writes that were applied under a name, by key and name. None is ever forgotten. */
  readonly #named = new Map<string, Register>();
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
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.latencyMs > 0) await sleep(this.latencyMs);
    const body = method === 'GET' ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as SeenRequest['body']);
    const [prefer, name] = [request.headers['prefer'], request.headers['idempotency-key']].map((value) => value?.toString());
    const seen: SeenRequest = { proposer, method, key, prefer, name, body, atMs: performance.now() };
    this.seen.push(seen);
    const present = this.store.get(key) ?? { ver: 0, val: null };
    const told = name === undefined ? undefined : this.#named.get(`${key} ${name}`);
    // Before the faults: a fault for the n-th write must not be spent on one that another client was faster with.
    const missed = !told && method === 'PUT' && body?.['ver'] !== present.ver;
    const fault = missed ? undefined : this.fault(seen);

    if (fault === 'hangs') return;
    if (fault === 'reset, not applied') request.socket.destroy();
    else if (fault === 'commit error, not applied') reply(response, 504, { code: 'CommitError', message: 'unknown' });
    else if (typeof fault === 'object') reply(response, fault.status, { ...fault, message: 'as the test wants it' });
    else if (missed) reply(response, 409, { code: 'VersionMismatch', message: 'another version', ...present });
    else if (told) reply(response, 200, { key, ...told });
    else if (body) this.#write(seen, present, fault, response);
    else if (present.ver === 0) reply(response, 404, { code: 'KeyNotFound', message: 'no such key', ver: 0 });
    else reply(response, 200, { key, ...present });
  }

  #write({ key, name, body = {} }: SeenRequest, present: Register, fault: Fault | undefined, response: ServerResponse): void {
    if ('add' in body && present.ver > 0 && typeof present.val !== 'number') {
      reply(response, 409, { code: 'ChangeRefused', message: 'add needs a number' });
      return;
    }
    const ver = present.ver + 1;
    const val = Number('add' in body ? Number(present.val) + Number(body['add']) : body['val']);
    if (fault !== 'lost') this.store.set(key, { ver, val: fault === 'doubled' ? val + 1 : val });
    if (name !== undefined) this.#named.set(`${key} ${name}`, { ver, val });
    if (fault === 'reset, applied') response.destroy();
    else if (fault === 'commit error, applied') reply(response, 504, { code: 'CommitError', message: 'unknown' });
    else reply(response, present.ver === 0 && 'ver' in body ? 201 : 200, { key, ver, val });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A fault for the n-th write (from 1), and for that one only. */
export function onWrite(nth: number, fault: Fault): StandIn['fault'] {
  let writes = 0;
  return ({ method }) => {
    if (method === 'GET') return undefined;
    writes += 1;
    return writes === nth ? fault : undefined;
  };
}
