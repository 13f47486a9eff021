import { readFileSync } from 'node:fs';

/** From a logical name, `acceptor-1:6379`, to the `host:port` where it listens. Configurations and output hold logical names only. */
export type Addresses = (name: string) => string;

/** What the address of an acceptor says. */
export interface AcceptorAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Whether this is one node of a Redis Cluster, and the acceptor is all of it. */
  readonly isCluster: boolean;
  /** Whether its settings can be asked for. A provider may forbid that: the operator then vouches for them. */
  readonly isConfigAsked: boolean;
}

const UNCHECKED = '?config=unchecked';
const SCHEMES: Readonly<Record<string, Pick<AcceptorAddress, 'tls' | 'isCluster'>>> = {
  redis: { tls: false, isCluster: false },
  rediss: { tls: true, isCluster: false },
  'redis+cluster': { tls: false, isCluster: true },
};

/** With Docker the names are the addresses; the local cluster hands in a map. */
export function addressesFrom(map: Readonly<Record<string, string>> = {}): Addresses {
  const entries = new Map(Object.entries(map));
  return (name) => entries.get(name) ?? name;
}

/**
 * Reads a map from names to addresses, a JSON object, as the local cluster writes it. Without a file the names are the addresses. Throws if
 * one of them holds a password, or speaks what nobody here does.
 */
export function readAddresses(path: string | undefined): Addresses {
  if (!path) return addressesFrom();
  const map = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  for (const address of Object.values(map)) if (/@|:\/\//.test(address)) parseAddress(address);
  return addressesFrom(map);
}

/**
 * Reads the address of an acceptor: `host:port` or `redis://host:port`; `rediss://` for TLS; `redis+cluster://` for one node of a Redis
 * Cluster. With `?config=unchecked` behind it CONFIG GET is not asked for. Throws a `TypeError` for anything else, which holds no password
 * that was part of it.
 */
export function parseAddress(address: string): AcceptorAddress {
  if (address.includes('@'))
    throw new TypeError(
      'an address holds no user and no password: REDIS_USER names the user, REDIS_PASSWORD_FILE a file with the password',
    );
  const [scheme = '', rest] = address.includes('://') ? address.split('://', 2) : ['redis', address];
  const kind = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (!kind) throw new TypeError(`"${address}" begins with none of ${Object.keys(SCHEMES).join('://, ')}://`);
  const isConfigAsked = !address.endsWith(UNCHECKED);
  return { ...splitAddress(isConfigAsked ? (rest ?? '') : (rest ?? '').slice(0, -UNCHECKED.length)), ...kind, isConfigAsked };
}

/** Splits `host:port`. Throws a `TypeError` for anything else. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  const isHost = /^[\w.:[\]-]+$/.test(address.slice(0, Math.max(colon, 0)));
  if (!isHost || !Number.isInteger(port) || port < 1 || port > 65535) throw new TypeError(`not an address, host:port: "${address}"`);
  return { host: address.slice(0, colon), port };
}
