import { parseConfiguration, parseEra } from '../src/store/parse-configuration.js';
import { BadRequest, StorageError } from '../src/store/errors.js';
import type { Express, Request } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { DatedConfiguration } from '../src/http/client.js';
import type { AcceptorPool } from '../src/redis/acceptor-pool.js';
import { onlyMethods } from './http.js';
import { jsonBody } from './json-body.js';
import { BODY_MAX_BYTES, RESCAN_BODY_MAX_BYTES, RESCAN_MAX_KEYS } from './limits.js';
import type { Store } from '../src/store/store.js';

/** A migration of nine keys there and back takes two dozen. */
const CONFIGURATIONS_KEPT = 50;

/** Which proposer this is, and which of its starts; two proposers with the same number would share ballots. */
export interface ProposerStart {
  readonly proposer: number;
  readonly incarnation: number;
}

export interface AdminRoutesOptions {
  readonly store: Store;
  readonly acceptors: Pick<AcceptorPool, 'states' | 'rights'>;
  readonly start: ProposerStart;
  readonly metrics: Registry;
  readonly log: Logger;
}

/** The interface for the control node, and for whoever watches. */
export function addAdminRoutes(app: Express, { store, acceptors, start, metrics, log }: AdminRoutesOptions): void {
  const configurations: DatedConfiguration[] = [{ atMs: Date.now(), configuration: store.configuration }];

  app.get('/configuration', (_request, response) => {
    response.json(store.configuration);
  });

  // For whoever looks from time to time, and wants to see every step.
  app.get('/configurations', (_request, response) => {
    response.json(configurations);
  });

  app.put('/configuration', jsonBody(BODY_MAX_BYTES), async (request, response) => {
    const { expectedEra } = request.body as { expectedEra?: unknown };
    const configuration = parseConfiguration(request.body);
    try {
      await store.reconfigure(configuration, parseEra(expectedEra, 'expectedEra'));
    } catch (error) {
      if (error instanceof StorageError) log.error({ err: error.cause }, 'the configuration could not be saved; the present one stays');
      throw error;
    }
    log.info(configuration, 'configuration changed');
    configurations.push({ atMs: Date.now(), configuration });
    configurations.splice(0, configurations.length - CONFIGURATIONS_KEPT);
    response.json(configuration);
  });

  app.get('/acceptors', (_request, response) => {
    response.json(acceptors.states(store.configuration));
  });

  // Before an acceptor joins. The control node cannot tell: it is another user there.
  app.get('/acceptors/:name/rights', async (request, response) => {
    response.json(await acceptors.rights(request.params.name).catch(() => null));
  });

  app.get('/identity', (_request, response) => {
    const { oldState } = store;
    response.json({ ...start, ...(oldState !== undefined && { oldState }) });
  });

  app.post('/rescan', jsonBody(RESCAN_BODY_MAX_BYTES), async (request, response) => {
    const { era, keys } = parseRescan(request);
    response.json(await store.rescan(era, keys));
  });

  app.get('/metrics', async (request, response) => {
    // The control node's page reads JSON, Prometheus its own text.
    if (request.accepts(['text', 'json']) === 'json') response.json(await metrics.getMetricsAsJSON());
    else response.type(metrics.contentType).send(await metrics.metrics());
  });

  app.all('/acceptors', onlyMethods('GET'));
  app.all('/acceptors/:name/rights', onlyMethods('GET'));
  app.all('/configuration', onlyMethods('GET', 'PUT'));
  app.all('/configurations', onlyMethods('GET'));
  app.all('/identity', onlyMethods('GET'));
  app.all('/metrics', onlyMethods('GET'));
  app.all('/rescan', onlyMethods('POST'));
}

function parseRescan(request: Request): { era: number; keys: string[] } {
  const { era, keys } = request.body as { era?: unknown; keys?: unknown };
  if (!Array.isArray(keys) || keys.length > RESCAN_MAX_KEYS || !keys.every((key): key is string => typeof key === 'string' && key !== '')) {
    throw new BadRequest(`keys must be a list of at most ${RESCAN_MAX_KEYS} keys`);
  }
  return { era: parseEra(era, 'era'), keys };
}
