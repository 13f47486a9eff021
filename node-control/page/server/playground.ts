import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { Router } from 'express';

const PLAYGROUND = dirname(createRequire(import.meta.url).resolve('#playground/index.html'));
const PROJECT = dirname(PLAYGROUND);

/** What the playground loads besides itself, as it lies in the project. */
const BESIDES: readonly (readonly [path: string, folder: string, files: RegExp])[] = [
  ['/dist', join(PROJECT, 'dist'), /\.js$/],
  ['/node-control/page/browser', join(PROJECT, 'node-control/page/browser'), /^\/(style\.css|icon\.svg)$/],
  ['/docs/transcripts', join(PROJECT, 'docs/transcripts'), /\.txt$/],
];

/**
 * Scripts of this server, the one import map that stands in the page, and modules in which the page itself has switched off a rule. Nothing else that
 * is inline, and nothing that is made of text by `eval`.
 */
function scriptSources(): string {
  const [, map = ''] = /<script type="importmap">([^]*?)<\/script>/.exec(readFileSync(join(PLAYGROUND, 'index.html'), 'utf8')) ?? [];
  return `script-src 'self' blob: 'sha256-${createHash('sha256').update(map).digest('base64')}'`;
}

/** The playground, under `/playground/`, as any server of static files would serve it. @param policy the page's own Content-Security-Policy */
export function playground(policy: string): Router {
  const router = Router();
  const headers = { 'Content-Security-Policy': policy.replace(/script-src [^;]*/, scriptSources()) };
  router.use('/playground', (_request, response, next) => {
    response.set(headers);
    next();
  });
  router.use('/playground', express.static(PLAYGROUND));
  for (const [path, folder, files] of BESIDES) {
    const serve = express.static(folder);
    router.use(path, (request, response, next) => {
      if (files.test(request.path)) serve(request, response, next);
      else next();
    });
  }
  return router;
}
