import { BadRequest } from '../src/store/errors.js';
import type { Express } from 'express';
import { onlyMethods } from './http.js';
import { KEY_MAX_BYTES } from './limits.js';
import type { Watch } from './watch.js';

/** Part of the admin interface: whoever watches sees values, and has a proposer do a little more for each message of the key. */
export function addWatchRoutes(app: Express, watch: Watch): void {
  app.put('/watch/:key', ({ params: { key } }, response) => {
    if (Buffer.byteLength(key) > KEY_MAX_BYTES) throw new BadRequest(`a key has 1 to ${KEY_MAX_BYTES} bytes`);
    watch.start(key);
    response.json(watch.look());
  });

  app.get('/watch', (_request, response) => {
    response.json(watch.look() ?? null);
  });

  app.delete('/watch', (_request, response) => {
    watch.stop();
    response.json(null);
  });

  app.all('/watch', onlyMethods('GET', 'DELETE'));
  app.all('/watch/:key', onlyMethods('PUT'));
}
