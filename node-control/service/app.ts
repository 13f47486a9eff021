import express, { type Express } from 'express';
import type { Cluster } from '../cluster.js';
import { ControlError } from '../cluster.js';
import { status } from '../commands/status.js';
import { onlyOwnHost } from './own-host.js';

/** What the control node serves: how the cluster is, for people. Read-only. */
export function createApp(cluster: Cluster): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(onlyOwnHost);

  app.get('/', async (_request, response) => {
    const lines: string[] = [];
    try {
      await status(cluster, (line) => lines.push(line));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      lines.push(`${error.message}.`);
    }
    response.type('text/plain').send(`${lines.join('\n')}\n`);
  });

  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  return app;
}
