import { createServer } from 'node:http';
import { FUNNEL_NAME, followFunnel, type FunnelLine } from '../../../src/http/funnel-stream.js';
import { systemTime } from '../../../src/store/system-time.js';
import { CollectionFile } from '../../state/collection-notes.js';
import { settingsFrom } from '../../nodes/settings.js';
import { createApp } from './app.js';
import { buttonsFrom } from './buttons.js';
import { startCollecting } from './collecting.js';
import { Observer } from './observer.js';
import { reasonOf } from '../../safety/objection.js';

/** As a proposer has them: a sender that is slower holds a connection for nothing. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };
/** A page that is open keeps one, and takes some more while it loads. */
const CONNECTIONS_MAX = 100;
/** A collection ends between two of its messages, and may be cut off anywhere: whoever stops the service waits no longer. */
const GRACE_MS = 4_000;

async function main(): Promise<void> {
  const nodes = settingsFrom(process.env);
  const host = process.env['HOST'] || '0.0.0.0';
  const port = portIn(process.env['PORT'] || '8080');
  const folder = process.env['STATE_DIR'];
  const collections = folder ? new CollectionFile(folder) : undefined;
  const followClient = async (onLine: (line: FunnelLine) => void): Promise<void> => {
    for await (const line of followFunnel(nodes.addresses(FUNNEL_NAME))) onLine(line);
  };
  const observer = new Observer(nodes, systemTime, followClient, collections);
  void observer.followClients();
  const stopCollecting = await startCollecting(nodes, process.env, (line) => {
    process.stdout.write(`control: ${new Date().toISOString()} ${line}\n`);
  });

  const server = createServer(LIMITS, createApp(nodes, observer, buttonsFrom(process.env)));
  server.maxConnections = CONNECTIONS_MAX;
  server.on('error', (error) => fail(`cannot listen on port ${port}: ${error.message}. CONTROL_PORT takes another one.`));
  server.listen(port, host, () => process.stdout.write(`control: the page is served on port ${port}\n`));

  // Nothing else has to be finished, and a page that is open would hold its connection for ever.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(0), GRACE_MS);
      void stopCollecting().then(() => process.exit(0));
    });
  }
}

function portIn(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new Error(`PORT must be an integer from 1 to 65535, not "${text}"`);
}

function fail(reason: string): never {
  process.stderr.write(`control: ${reason}\n`);
  process.exit(1);
}

try {
  await main();
} catch (error) {
  fail(reasonOf(error));
}
