import { createServer, type RequestListener, type Server } from 'node:http';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { readAddresses } from '../src/node/addresses.js';
import { type Configuration, isConfigured } from '../src/protocol/configuration.js';
import { KeyValue } from '../src/store/kv.js';
import { Proposer } from '../src/protocol/proposer.js';
import { AcceptorPool } from '../src/redis/acceptor-pool.js';
import { addAdminRoutes } from './admin-routes.js';
import { lockFolder } from '../src/node/folder-lock.js';
import { answerUnparsable, createApp, onlyBearerOf } from './http.js';
import { addKvRoutes } from './kv-routes.js';
import {
  ACCEPTOR_LATE_MS,
  ACCEPTOR_TIMEOUT_MS,
  CONNECTIONS_MAX,
  HEADERS_MAX_BYTES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  REQUEST_TIMEOUT_MS,
  RESOLVE_MS,
  RESOLVE_PAUSE_MS,
  SHUTDOWN_MS,
  SLOW_SENDERS_CHECK_MS,
} from './limits.js';
import { createMetrics } from './metrics.js';
import { CountedOperations } from './counted-operations.js';
import { ReconfigurableProposer } from '../src/store/reconfigurable-proposer.js';
import { readSettings } from './settings.js';
import { StateFolder } from '../src/node/state-folder.js';
import { systemTime } from '../src/store/system-time.js';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const options = { level: settings.logLevel, base: { proposer: settings.id } };
  const log =
    settings.logFormat === 'json' ? pino(options) : pino(options, pretty({ sync: true, colorize: isatty(1) && !process.env['NO_COLOR'] }));
  const addresses = readAddresses(settings.addressMap);

  const { state, configuration, incarnation } = await openState(settings.stateFolder);

  const acceptors = new AcceptorPool(addresses, log, settings.access);
  const { counts, registry } = createMetrics(() => ({
    era: proposer.configuration.era,
    isConfigured: isConfigured(proposer.configuration),
    acceptors: acceptors.states(proposer.configuration),
  }));
  let staleEra = 0;
  const proposer = new Proposer({
    id: settings.id,
    incarnation,
    configuration,
    acceptor: (name, identity) => counts.acceptor(name, acceptors.get(name, identity)),
    time: systemTime,
    timeoutMs: ACCEPTOR_TIMEOUT_MS,
    lateMs: ACCEPTOR_LATE_MS,
    onEvent: (event) => counts.saw(event),
    onStale: (seenEra) => {
      if (seenEra === staleEra) return;
      staleEra = seenEra;
      log.error({ seenEra, era: proposer.configuration.era }, 'this configuration is stale: an acceptor has seen a later era');
    },
  });
  let operationCount = 0;
  const kv = new KeyValue({
    proposer,
    nextOperationId: () => [settings.id, incarnation, ++operationCount].map((part) => part.toString(36)).join('.'),
    time: systemTime,
    random: Math.random,
    resolveMs: RESOLVE_MS,
    backoffMs: RESOLVE_PAUSE_MS,
    onSearched: (isFound) => (counts.unconfirmed[isFound ? 'resolved' : 'unresolved'] += 1),
  });
  const operations = new CountedOperations(kv, counts);
  const identity = { proposer: settings.id, incarnation };
  const member = new ReconfigurableProposer({ identity, proposer, acceptors, addresses, state, log });
  await acceptors.connect(configuration);

  const publicApp = createApp(log, (app) => addKvRoutes(app, operations, proposer, acceptors));
  const adminApp = createApp(log, (app) => {
    if (settings.adminToken !== undefined) app.use(onlyBearerOf(settings.adminToken));
    addAdminRoutes(app, operations, member, registry);
  });
  const servers = await Promise.all([
    listen(publicApp, settings.host, settings.port, 'PORT'),
    listen(adminApp, settings.adminHost, settings.adminPort, 'ADMIN_PORT'),
  ]);
  if (settings.adminToken === undefined) log.warn('the admin port asks for no token: ADMIN_TOKEN_FILE names a file with one');
  log.info({ incarnation, port: settings.port, adminPort: settings.adminPort, configuration }, 'proposer started');

  const stop = (signal: string): void => {
    log.info({ signal }, 'stopping: finishing what runs');
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    void Promise.all(servers.map(close)).then(() => {
      log.info('stopped');
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

async function openState(folder: string): Promise<{ state: StateFolder; configuration: Configuration; incarnation: number }> {
  try {
    const state = new StateFolder(folder);
    process.chdir(folder); // the path of a socket is limited to about 100 bytes
    await lockFolder('lock');
    return { state, configuration: state.loadConfiguration(), incarnation: state.raiseIncarnation(Date.now()) };
  } catch (error) {
    throw new Error(`cannot use the state folder ${folder}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function listen(app: RequestListener, host: string, port: number, variable: string): Promise<Server> {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: SLOW_SENDERS_CHECK_MS,
    },
    app,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', answerUnparsable);
  return new Promise((resolve, reject) => {
    server.on('error', (error) => reject(new Error(`cannot listen on port ${port}: ${error.message}. ${variable} takes another one.`)));
    server.listen(port, host, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is kept after its last answer would hold up the shutdown.
    const sweep = setInterval(() => server.closeIdleConnections(), 20);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`proposer: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
