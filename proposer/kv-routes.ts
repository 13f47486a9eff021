import { BadRequest, OldState } from '../src/store/errors.js';
import { assertJson } from '../src/store/json-value.js';
import { KeyNotFound, PayloadTooLarge } from '../src/http/errors.js';
import type { Express, Request } from 'express';
import { NotConfigured, PrepareError } from '../src/protocol/errors.js';
import { acceptorsOf, isConfigured } from '../src/protocol/configuration.js';
import { containsQuorum } from '../src/protocol/quorum.js';
import type { Store } from '../src/store/store.js';
import type { AcceptorPool } from '../src/redis/acceptor-pool.js';
import { answerJson, jsonBody, onlyMethods } from './http.js';
import { BODY_MAX_BYTES, KEY_MAX_BYTES, VALUE_MAX_BYTES } from './limits.js';

/** The interface for clients. */
export function addKvRoutes(app: Express, store: Store, acceptors: AcceptorPool): void {
  app.get('/kv/:key', async (request, response) => {
    const key = keyOf(request);
    const { ver, val } = await store.get(key, { wait: !wantsNoWait(request) });
    if (ver === 0) throw new KeyNotFound('the key does not exist', { key, ver: 0 });
    answerJson(response, 200, { key, ver, val });
  });

  app.put('/kv/:key', jsonBody(BODY_MAX_BYTES), async (request, response) => {
    const key = keyOf(request);
    const { ver, val } = parseWrite(request);
    const written = await store.cas(key, ver, val, { wait: !wantsNoWait(request) });
    answerJson(response, ver === 0 ? 201 : 200, { key, ver: written.ver, val: written.val });
  });

  app.all('/kv/:key', onlyMethods('GET', 'PUT'));

  app.all('/kv/', () => {
    throw new BadRequest(`a key has 1 to ${KEY_MAX_BYTES} bytes`);
  });

  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });

  app.get('/readyz', async (_request, response) => {
    if (store.oldState !== undefined) throw new OldState(store.oldState);
    if (!isConfigured(store.configuration)) throw new NotConfigured('this proposer has no acceptors yet');
    const { configuration } = store;
    const missing = await acceptors.missing(configuration);
    const up = acceptorsOf(configuration).filter((name) => !missing.includes(name));
    const phases = (['prepare', 'accept'] as const).filter((phase) => !containsQuorum(configuration[phase], up));
    if (phases.length > 0) {
      const strangers = acceptors.strangers(configuration);
      const reasons = [
        `no ${phases.join(' and no ')} quorum of acceptors answers, for want of ${missing.join(' and ')}`,
        ...(strangers.length === 0 ? [] : [`${strangers.join(' and ')} lost the data or is another acceptor: see run-control.sh status`]),
        ...acceptors.states(configuration).flatMap(({ name, wentBack }) => (wentBack ? [`${name}: ${wentBack.text}`] : [])),
        ...acceptors.unfit(configuration),
        ...acceptors.states(configuration).flatMap(({ name, trouble }) => (trouble ? [`${name}: ${trouble.text}`] : [])),
      ];
      throw new PrepareError(reasons.join('; '));
    }
    response.json({ status: 'ready' });
  });

  app.all('/healthz', onlyMethods('GET'));
  app.all('/readyz', onlyMethods('GET'));
}

function keyOf(request: Request): string {
  const key = String(request.params['key']);
  if (Buffer.byteLength(key) > KEY_MAX_BYTES) throw new BadRequest(`a key has 1 to ${KEY_MAX_BYTES} bytes`);
  // The URL standard removes such a segment from a path, %2e and all: what one client wrote there, most others could never read.
  if (key === '.' || key === '..') throw new BadRequest('"." and ".." are no keys: clients take them for steps in the path');
  return key;
}

/** RFC 7240, section 4.3: how long the client is willing to wait. Zero means: not for others. */
function wantsNoWait(request: Request): boolean {
  const prefer = request.headers['prefer'];
  return prefer !== undefined && /(^|[,;])\s*wait\s*=\s*"?0"?\s*($|[,;])/i.test(String(prefer));
}

function parseWrite(request: Request): { ver: number; val: unknown } {
  const { ver, val } = request.body as { ver?: unknown; val?: unknown };
  if (!Number.isSafeInteger(ver) || Number(ver) < 0 || Number(ver) === Number.MAX_SAFE_INTEGER) {
    throw new BadRequest('ver must be an integer from 0 (the key does not exist yet) to 2^53 - 2');
  }
  if (val === undefined) throw new BadRequest('val is missing; it may be any JSON value');
  // 1e20 becomes six times as long when it is written out, and nothing grows more.
  if (!(Number(request.headers['content-length']) < VALUE_MAX_BYTES / 8)) {
    // Before it is written out, which one that is nested too deeply cannot be.
    assertJson(val);
    if (Buffer.byteLength(JSON.stringify(val)) > VALUE_MAX_BYTES)
      throw new PayloadTooLarge(`a value has at most ${VALUE_MAX_BYTES} bytes of JSON`);
  }
  return { ver: Number(ver), val };
}
