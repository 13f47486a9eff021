import type { Express, Request } from 'express';
import type { Registry } from 'prom-client';
import { parseConfiguration, parseEra } from '../src/protocol/configuration.js';
import { BadRequest } from '../src/protocol/errors.js';
import type { DatedConfiguration } from '../src/http/client.js';
import { jsonBody, onlyMethods } from './http.js';
import { BODY_MAX_BYTES, RESCAN_BODY_MAX_BYTES, RESCAN_MAX_KEYS } from './limits.js';
import type { Operations } from '../src/store/operations.js';
import type { ReconfigurableProposer } from '../src/store/reconfigurable-proposer.js';
import { rescanKeys } from '../src/store/rescan.js';

/** A migration of nine keys there and back takes two dozen. */
const CONFIGURATIONS_KEPT = 50;

/** The interface for the control node, and for whoever watches. */
export function addAdminRoutes(app: Express, operations: Operations, member: ReconfigurableProposer, metrics: Registry): void {
  const configurations: DatedConfiguration[] = [{ atMs: Date.now(), configuration: member.configuration }];

  app.get('/configuration', (_request, response) => {
    response.json(member.configuration);
  });

  // For whoever looks from time to time, and wants to see every step.
  app.get('/configurations', (_request, response) => {
    response.json(configurations);
  });

  app.put('/configuration', jsonBody(BODY_MAX_BYTES), async (request, response) => {
    const { expectedEra } = request.body as { expectedEra?: unknown };
    const configuration = parseConfiguration(request.body);
    await member.reconfigure(parseEra(expectedEra, 'expectedEra'), configuration);
    configurations.push({ atMs: Date.now(), configuration });
    configurations.splice(0, configurations.length - CONFIGURATIONS_KEPT);
    response.json(configuration);
  });

  app.get('/identity', (_request, response) => {
    response.json(member.identity);
  });

  app.post('/rescan', jsonBody(RESCAN_BODY_MAX_BYTES), async (request, response) => {
    const { era, keys } = parseRescan(request);
    response.json(await rescanKeys(member, era, keys, (key) => operations.rescan(key)));
  });

  app.get('/metrics', async (request, response) => {
    // The control node's page reads JSON, Prometheus its own text.
    if (request.accepts(['text', 'json']) === 'json') response.json(await metrics.getMetricsAsJSON());
    else response.type(metrics.contentType).send(await metrics.metrics());
  });

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
