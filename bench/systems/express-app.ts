import express from 'express';

/** The floor: what Express costs where nothing is behind it. With the settings of a proposer, on the paths of a proposer. */
const ANSWER = { key: 'key-1', ver: 1, val: 1 };

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/healthz', (_request, response) => {
  response.json({ status: 'alive' });
});
app.get('/kv/:key', (_request, response) => {
  response.json(ANSWER);
});
for (const method of ['put', 'post'] as const) {
  app[method]('/kv/:key', express.json(), (_request, response) => {
    response.json(ANSWER);
  });
}
app.listen(Number(process.env['PORT']), '127.0.0.1');
