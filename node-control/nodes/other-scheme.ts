import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseAddress } from '../../src/node/addresses.js';

/** Only asked where somebody listens. */
const ANSWER_MS = 500;

/**
 * What to write in place of an address at which nobody answers; undefined if it is not the scheme that is wrong. A Redis without TLS says nothing to a client
 * with TLS, and one with TLS hangs up on a client without. Nothing but PING is sent. Never rejects.
 */
export function otherScheme(address: string): Promise<string | undefined> {
  const { host, port, tls } = parseAddress(address);
  return new Promise((resolve) => {
    const end = (isOther: boolean): void => {
      socket.destroy();
      if (!isOther) resolve(undefined);
      else
        resolve(
          tls ? 'it speaks no TLS: its address begins with redis://, not rediss://' : 'it speaks TLS: its address begins with rediss://',
        );
    };
    const at = { host, port, timeout: ANSWER_MS };
    const socket = tls ? connect(at) : connectTls({ ...at, rejectUnauthorized: false });
    if (tls) socket.once('connect', () => socket.write('PING\r\n')).once('data', (answer: Buffer) => end(/^[+-]/.test(answer.toString())));
    else socket.once('secureConnect', () => end(true));
    socket.on('error', () => end(false)).once('close', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
