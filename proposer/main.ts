import { mkdirSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import { readAddresses } from '../src/node/addresses.js';
import { stateFolder, UnusableState } from '../src/node/state-folder.js';
import { type Configuration, isConfigured } from '../src/protocol/configuration.js';
import { redisAcceptors } from '../src/redis/acceptor-pool.js';
import { slowestAnswerMs } from '../src/store/limits.js';
import type { ProposerState } from '../src/store/options.js';
import { createStore } from '../src/store/store.js';
import { addAdminRoutes } from './admin-routes.js';
import { createApp, onlyBearerOf } from './http.js';
import { addKvRoutes } from './kv-routes.js';
import { SHUTDOWN_MS } from './limits.js';
import { linkLog } from './link-log.js';
import { createMetrics } from './metrics.js';
import { serve } from './serve.js';
import { readSettings } from './settings.js';
import { Watch } from './watch.js';
import { addWatchRoutes } from './watch-routes.js';
import { COPY } from './way-out.js';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const options = { level: settings.logLevel, base: { proposer: settings.id } };
  // A line is written before the program goes on: what a proposer said last, before it was killed, is what one looks for.
  const log =
    settings.logFormat === 'json'
      ? pino(options, pino.destination({ sync: true }))
      : // Where nobody asks for it, a start does without loading it.
        pino(options, (await import('pino-pretty')).default({ sync: true, colorize: isatty(1) && !process.env['NO_COLOR'] }));
  const addresses = readAddresses(settings.addressMap);
  const state = await openState(settings.stateFolder);
  const { configuration, incarnation } = state;

  const { access, limits } = settings;
  const timeoutMs = limits.acceptorTimeoutMs;
  const acceptors = redisAcceptors({ addresses, access, timeoutMs, onLink: linkLog(log) });
  const { counts, registry } = createMetrics(() => ({
    era: store.configuration.era,
    isConfigured: isConfigured(store.configuration),
    acceptors: acceptors.states(store.configuration),
  }));
  let staleEra = 0;
  const onStale = (seenEra: number): void => {
    if (seenEra === staleEra) return;
    staleEra = seenEra;
    log.error({ seenEra, era: store.configuration.era }, 'this configuration is stale: an acceptor has seen a later era');
  };
  const onOldState = (old: Configuration, seenEra: number): void => {
    log.error(
      { seenEra, old },
      'this state folder is an old one: an acceptor knows a later era of this proposer; the old sets are given up',
    );
  };
  const events = { ...counts.events, onStale, onOldState };
  const watch = new Watch(counts.acceptors(acceptors), settings.id, () => store.configuration);
  const store = createStore({ id: settings.id, state, acceptors: watch.acceptors, limits, events });
  await acceptors.connect(configuration);

  const publicApp = createApp(log, (app) => addKvRoutes(app, store, acceptors));
  const adminApp = createApp(log, (app) => {
    if (settings.adminToken !== undefined) app.use(onlyBearerOf(settings.adminToken));
    addAdminRoutes(app, { store, acceptors, start: { proposer: settings.id, incarnation }, metrics: registry, log });
    addWatchRoutes(app, watch);
  });
  const servers = await Promise.all([
    serve(publicApp, settings.host, settings.port, 'PORT'),
    serve(adminApp, settings.adminHost, settings.adminPort, 'ADMIN_PORT'),
  ]);
  if (settings.adminToken === undefined) log.warn('the admin port asks for no token: ADMIN_TOKEN_FILE names a file with one');
  log.info({ incarnation, port: settings.port, adminPort: settings.adminPort, configuration }, 'proposer started');

  const stop = (signal: string): void => {
    log.info({ signal }, 'stopping: finishing what runs');
    setTimeout(() => process.exit(0), Math.max(SHUTDOWN_MS, slowestAnswerMs(limits))).unref();
    void Promise.all(servers.map((server) => server.close())).then(() => {
      log.info('stopped');
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

async function openState(folder: string): Promise<ProposerState> {
  try {
    mkdirSync(folder, { recursive: true });
    process.chdir(folder); // for the path of the lock, see stateFolder
    return await stateFolder(folder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const wayOut = error instanceof UnusableState && error.needsSets ? ` To give it those: ${COPY}.` : '';
    throw new Error(`cannot use the state folder ${folder}: ${why}${wayOut}`, { cause: error });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`proposer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
