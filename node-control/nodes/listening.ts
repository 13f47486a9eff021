import { connect } from 'node:net';
import { parseAddress } from '../../src/node/addresses.js';

/** A connection over loopback or a container's network takes far less. */
const CONNECT_MS = 500;

/** Whether anybody takes a connection at this address. Never rejects. */
export function isListening(address: string): Promise<boolean> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (listens: boolean) => (): void => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
