import { constants } from 'node:os';

/** What a shell reports of a program that wrote to a pipe which nobody reads any more. */
const READER_GONE = 128 + constants.signals.SIGPIPE;

/**
 * Ends a program whose output cannot be written: quietly where its reader has gone (`| head`), as other programs do, and with why where a disk is full, say.
 * Never with 0, for what it had to say was not heard.
 */
export function endForLostOutput({ code, message }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') process.exit(READER_GONE);
  process.stderr.write(`error: the output cannot be written: ${message}\n`);
  process.exit(1);
}
