import { BadRequest, KeyNotFound, OldState } from '../src/store/errors.js';
import type { Express, Request } from 'express';
import { NotConfigured, PrepareError } from '../src/protocol/errors.js';
import { acceptorsOf, isConfigured } from '../src/protocol/configuration.js';
import { containsQuorum } from '../src/protocol/quorum.js';
import type { Store } from '../src/store/store.js';
import type { AcceptorPool } from '../src/redis/acceptor-pool.js';
import type { Versioned } from '../src/store/versioned.js';
import { DELETED, type Write } from '../src/store/write.js';
import { assertSize, CHANGE_FUNCTIONS } from './change-functions.js';
import { answerJson, onlyMethods } from './http.js';
import { asVersion, operationName } from './idempotency-key.js';
import { jsonBody } from './json-body.js';
import { BODY_MAX_BYTES, KEY_MAX_BYTES, VALUE_MAX_BYTES } from './limits.js';
import { STATUS } from './way-out.js';

/** What a write without a body says behind its path. */
const IN_PATH_OF_DELETE: readonly string[] = ['ver', 'since'];

/** The interface for clients. */
export function addKvRoutes(app: Express, store: Store, acceptors: AcceptorPool): void {
  // One route: a path is looked at once, whatever the method.
  const kv = app.route('/kv/:key');

  kv.get(async (request, response) => {
    const key = keyOf(request);
    const present = await store.get(key, { wait: !wantsNoWait(request) });
    if (present.ver === 0) throw new KeyNotFound('the key does not exist', { key, ...withoutValue(present) });
    answerJson(response, 200, { key, ver: present.ver, val: present.val });
  });

  kv.put(jsonBody(BODY_MAX_BYTES), async (request, response) => {
    const key = keyOf(request);
    const write = parsePut(request);
    const { ver, val } = await store.write(key, write, { wait: !wantsNoWait(request) });
    answerJson(response, write.ver === 0 ? 201 : 200, { key, ver, val });
  });

  kv.post(jsonBody(BODY_MAX_BYTES), async (request, response) => {
    const key = keyOf(request);
    const { ver, val } = await store.write(key, parseChange(request), { wait: !wantsNoWait(request) });
    answerJson(response, 200, { key, ver, val });
  });

  kv.delete(async (request, response) => {
    const key = keyOf(request);
    const deleted = await store.write(key, parseDelete(request), { wait: !wantsNoWait(request) });
    answerJson(response, 200, { key, ...deleted });
  });

  kv.all(onlyMethods('GET', 'PUT', 'POST', 'DELETE'));

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
        ...(strangers.length === 0 ? [] : [`${strangers.join(' and ')} lost the data or is another acceptor: see ${STATUS}`]),
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

function withoutValue({ ver, deletedVer }: Versioned): Omit<Versioned, 'val'> {
  return { ver, ...(deletedVer !== undefined && { deletedVer }) };
}

function parsePut(request: Request): Write {
  assertNothingInPath(request);
  const { ver, val, since } = request.body as { ver?: unknown; val?: unknown; since?: unknown };
  const expected = asVersion(ver, 'ver');
  if (val === undefined) throw new BadRequest('val is missing; it may be any JSON value');
  // 1e20 becomes six times as long when it is written out, and nothing grows more.
  if (!(Number(request.headers['content-length']) < VALUE_MAX_BYTES / 8)) assertSize(val);
  return { ver: expected, val, ...named(request, ['put', expected, val], since) };
}

function parseChange(request: Request): Write {
  assertNothingInPath(request);
  const { ver, since, ...functions } = request.body as Readonly<Record<string, unknown>>;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(functions);
  const change = Object.hasOwn(CHANGE_FUNCTIONS, name) ? CHANGE_FUNCTIONS[name] : undefined;
  if (!change || others.length > 0) {
    const names = Object.keys(CHANGE_FUNCTIONS).join(', ');
    throw new BadRequest(`send one change function, {"add": 1} say, with ver and since if you want to; there are ${names}`);
  }
  const next = change(argument);
  const condition = ver === undefined ? {} : { ver: asVersion(ver, 'ver') };
  return { ...next, ...condition, ...named(request, [name, argument, condition], since) };
}

/** A condition that stands where nobody looks would be none. */
function assertNothingInPath(request: Request): void {
  if (!request.url.includes('?')) return;
  const name = IN_PATH_OF_DELETE.find((one) => one in request.query);
  if (name !== undefined) throw new BadRequest(`${name} stands in the body of ${request.method}, not behind its path`);
}

function parseDelete(request: Request): Write {
  const unknown = Object.keys(request.query).find((name) => !IN_PATH_OF_DELETE.includes(name));
  if (unknown !== undefined) throw new BadRequest(`DELETE takes ?ver=n and ?since=n, not ${unknown}`);
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined)
    throw new BadRequest('DELETE takes no body: ver and since stand behind the path, ?ver=n');
  const [ver, since] = IN_PATH_OF_DELETE.map((name) => {
    const given = request.query[name];
    return typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  });
  const condition = ver === undefined ? {} : { ver: asVersion(ver, 'ver') };
  return { val: DELETED, ...condition, ...named(request, ['delete', condition], since) };
}

function named(request: Request, what: readonly unknown[], since: unknown): Pick<Write, 'name'> {
  const name = operationName(request, what, since);
  return name ? { name } : {};
}
