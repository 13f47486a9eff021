import { createServer } from 'node:http';
import { clusterFrom } from '../settings.js';
import { createApp } from './app.js';

const cluster = clusterFrom(process.env);
const host = process.env['HOST'] || '0.0.0.0';
const port = Number(process.env['PORT'] || 8080);

const server = createServer(createApp(cluster));
server.on('error', (error) => {
  process.stderr.write(`control: cannot listen on port ${port}: ${error.message}. CONTROL_PORT takes another one.\n`);
  process.exit(1);
});
server.listen(port, host, () => process.stdout.write(`control: the page is served on port ${port}\n`));

// Nothing here has to be finished, and a page that is open would hold its connection for ever.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
