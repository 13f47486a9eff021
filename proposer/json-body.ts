import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import express, { type Request, type RequestHandler } from 'express';
import { BadRequest } from '../src/store/errors.js';

/** { and [ as bytes. */
const [OBJECT, LIST] = [0x7b, 0x5b];

/** Reads a JSON object from the body of a request. */
export function jsonBody(limitBytes: number): RequestHandler {
  // The parser would put a replacement character for each byte that is no UTF-8: another value than the client sent.
  const verify = (_request: unknown, _response: unknown, body: Buffer): void => {
    if (!isUtf8(body)) throw new Error('the body is not UTF-8');
  };
  // Its own look at the type would be the second.
  const parse: RequestHandler = express.json({ limit: limitBytes, inflate: false, verify, type: () => true, strict: false });
  return (request, response, next) => {
    if (!isPlain(request, limitBytes)) {
      if (!request.is('application/json')) throw new BadRequest('send a JSON body with Content-Type: application/json');
      parse(request, response, (error?: unknown) => next(error ?? refusalOfOther(request.body)));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      request.body = parsed(body);
      if (request.body !== undefined) {
        next();
        return;
      }
      // Express' parser says what is wrong with it.
      const again = Object.assign(Readable.from([body]), { headers: request.headers }) as unknown as Request;
      parse(again, response, (error?: unknown) => {
        request.body = again.body as unknown;
        next(error ?? refusalOfOther(request.body));
      });
    });
  };
}

/** The parser, told to take objects and lists only, would say of the others that they are no JSON. */
function refusalOfOther(body: unknown): BadRequest | undefined {
  return body === undefined || (typeof body === 'object' && body !== null) ? undefined : new BadRequest('the body must be a JSON object');
}

/** Whether it is as nearly all bodies are: then most of what Express' parser looks for is not there, and reading it costs half. */
function isPlain({ headers }: Request, limitBytes: number): boolean {
  const length = Number(headers['content-length']);
  return headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined && length > 0 && length <= limitBytes;
}

/** Undefined where it is no JSON object or list, or has something before it. */
function parsed(body: Buffer): unknown {
  if ((body[0] !== OBJECT && body[0] !== LIST) || !isUtf8(body)) return undefined;
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return undefined;
  }
}
