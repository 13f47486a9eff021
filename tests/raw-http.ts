import { request } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** The parsed body; undefined where it is no JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface RawRequest {
  readonly method?: string;
  /** Sent as it is: not normalised, not encoded. One character for each byte. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; text as it is, with JSON's content type unless the headers say otherwise. */
  readonly body?: unknown;
}

/** One request on a connection of its own, with nothing put right on the way as fetch would. */
export function send(address: string, { method = 'GET', path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
  const [host = '', port = ''] = address.split(':');
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const length = payload === undefined || 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
  const type = payload === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const message = request({ host, port, method, path, agent: false, headers: { ...length, ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parse(text) });
      });
    });
    message.once('error', reject);
    message.end(payload);
  });
}

/**
 * Writes bytes to a port, ends its side, and returns all that came back.
 *
 * @param patienceMs how long to wait for the first of the answer before that end: a server drops an answer that is not ready yet
 */
export function sendBytes(address: string, bytes: string, patienceMs = 0): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true }, () => {
      if (patienceMs === 0) socket.end(bytes, 'latin1');
      else socket.write(bytes, 'latin1');
    });
    const impatience = patienceMs === 0 ? undefined : setTimeout(() => socket.end(), patienceMs);
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      socket.end();
    });
    socket.once('error', reject);
    socket.once('end', () => {
      socket.destroy();
      resolve(received);
    });
    socket.once('close', () => clearTimeout(impatience));
  });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
