import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerJson, createApp } from '../../proposer/http.js';
import { jsonBody } from '../../proposer/json-body.js';

const LIMIT_BYTES = 200;

/** Reads bodies itself. */
const PLAIN = 'application/json';
/** The same to HTTP, but left to Express' parser. */
const LEFT = 'application/json; charset=utf-8';

let server: Server;
beforeAll(async () => {
  const app = createApp(pino({ level: 'silent' }), (routes) => {
    routes.put('/', jsonBody(LIMIT_BYTES), (asked, response) => answerJson(response, 200, { read: asked.body as unknown }));
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends a body in so many pieces. */
function put(
  body: Buffer,
  type: string,
  pieces = 1,
  more: Readonly<Record<string, string>> = {},
): Promise<readonly [status: number | undefined, text: string]> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': body.length, ...more };
    const asked = request({ port, host: '127.0.0.1', method: 'PUT', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve([response.statusCode, text]));
    });
    asked.on('error', reject);
    const size = Math.ceil(body.length / pieces);
    const send = (at: number): void => {
      if (at >= body.length) asked.end();
      else asked.write(body.subarray(at, at + size), () => setImmediate(() => send(at + size)));
    };
    send(0);
  });
}

const bodies: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['an object', '{"ver":1,"val":["ключ",{"a":null}]}'],
  ['a list', '[1,2]'],
  ['an object after white space', ' \n{"ver":1}'],
  ['an object after a byte order mark', '\ufeff{"ver":1}'],
  ['nothing', ''],
  ['white space', '  '],
  ['a number', '7'],
  ['a text', '"ver"'],
  ['an object without an end', '{"ver":1'],
  ['an object with more behind it', '{"ver":1}}'],
  ['an object with a wrong word', '{"ver":nul}'],
  ['a member named __proto__', '{"__proto__":{"ver":1}}'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['bytes that are no UTF-8 and no JSON', Buffer.from([0x7b, 0xff])],
  ['as many bytes as may be', JSON.stringify({ val: 'x'.repeat(LIMIT_BYTES - 10) })],
  ['one byte more', JSON.stringify({ val: 'x'.repeat(LIMIT_BYTES - 9) })],
];

describe('a JSON body', () => {
  it.each(bodies)('that holds %s is answered as Express answers it, also in pieces', async (_what, text) => {
    const body = Buffer.from(text);
    const expected = await put(body, LEFT);
    expect(await put(body, PLAIN)).toEqual(expected);
    expect(await put(body, PLAIN, 3)).toEqual(expected);
  });

  it('is taken where it is right, and refused where it is not', async () => {
    const statuses = await Promise.all(bodies.map(async ([, text]) => (await put(Buffer.from(text), PLAIN))[0]));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 400, 400, 400, 400, 400, 400, 200, 400, 400, 200, 413]);
  });

  it('that is compressed is refused, whatever it holds', async () => {
    expect(await put(Buffer.from('{"ver":1}'), PLAIN, 1, { 'content-encoding': 'gzip' })).toEqual([
      400,
      '{"code":"BadRequest","message":"content encoding unsupported"}',
    ]);
  });

  it('of another type is refused, whatever it holds', async () => {
    expect((await put(Buffer.from('{"ver":1}'), 'text/plain'))[0]).toBe(400);
  });
});
