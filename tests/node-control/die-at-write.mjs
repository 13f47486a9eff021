import { Socket } from 'node:net';
import process from 'node:process';

// Loaded into a program of the control node by --import: it dies by SIGKILL when it is about to write to a connection for the n-th time.
let left = Number(process.env.DIE_AT_WRITE);
/** @type {(...args: unknown[]) => boolean} */
const write = Reflect.get(Socket.prototype, 'write');
Socket.prototype.write = function (...args) {
  if (this !== process.stdout && this !== process.stderr && --left === 0) process.kill(process.pid, 'SIGKILL');
  return write.apply(this, args);
};
