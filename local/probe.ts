import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import retry from 'async-retry';
import type { Port } from './layout.js';
import { isSystemError, sayWhy, Trouble } from './trouble.js';

const PROBE_TIMEOUT_MS = 1_000;
const PROBE_PAUSE_MS = 100;

/** Whether Redis answers on this port and is not LOADING its data. @param password of the user `control`, where it asks for one */
export function redisAnswers(port: number, password?: string): Promise<boolean> {
  const login = password === undefined ? '' : `AUTH control ${password}\r\n`;
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${login}PING\r\n`));
    const done = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(false));
    socket.on('error', () => done(false));
    socket.on('close', () => resolve(false));
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      if (/^\+PONG/m.test(reply) || /^-/m.test(reply)) done(!reply.includes('-'));
    });
  });
}

/** Whether a proposer or the control node answers 200 on `/healthz`. Not `fetch`: that refuses some ports that a user may choose. */
export function httpAnswers(port: number, timeout = PROBE_TIMEOUT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false, timeout }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

/**
 * Rejects with {@link Trouble} that names each port that cannot be listened on, and how to change it.
 *
 * @param patienceMs how long to wait for them, where they may just be about to become free
 */
export async function requireFree(ports: readonly Port[], patienceMs: number): Promise<void> {
  let complaints: readonly string[] = [];
  const look = async (): Promise<void> => {
    complaints = (await Promise.all(ports.map(complaintAbout))).filter((complaint) => complaint !== undefined);
    if (complaints.length > 0) throw new Trouble('');
  };
  const pauses = { minTimeout: PROBE_PAUSE_MS, factor: 1, retries: Math.ceil(patienceMs / PROBE_PAUSE_MS) };
  await retry(look, pauses).catch(() => {
    // async-retry rejects with the error that came most often: what counts is the last look.
    throw new Trouble(complaints.join('\n'));
  });
}

async function complaintAbout({ node, port, variable }: Port): Promise<string | undefined> {
  const error = await refusalToListen(port);
  if (error === undefined) return undefined;
  const why = isSystemError(error, 'EADDRINUSE') ? 'is taken by another program' : `cannot be used (${sayWhy(error)})`;
  return `port ${port}, for ${node}, ${why}: end that program, or give another port with ${variable}=…`;
}

/** Whether a server could listen on this port of 127.0.0.1 at the moment. */
export async function isFree(port: number): Promise<boolean> {
  return (await refusalToListen(port)) === undefined;
}

function refusalToListen(port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
