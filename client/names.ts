import { randomBytes } from 'node:crypto';

/** So many that no two clients ever begin with the same ones, in few characters: every acceptor keeps the names of a key's last writes. */
const CLIENT_BYTES = 6;

/**
 * Names for the writes of one client, each given once. They begin with a number of the client's own, which never comes from `--seed`: a second run
 * with the same seed would give out the names of the first, and its writes would count as repeated ones.
 */
export function writeNames(): () => string {
  const client = randomBytes(CLIENT_BYTES).toString('base64url');
  let count = 0;
  return () => `${client}.${(count += 1).toString(36)}`;
}
