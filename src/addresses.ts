import { readFileSync } from 'node:fs';

/** From a logical name, `acceptor-1:6379`, to the `host:port` where it listens. Configurations and output hold logical names only. */
export type Addresses = (name: string) => string;

/** With Docker the names are the addresses; the local cluster hands in a map. */
export function addressesFrom(map: Readonly<Record<string, string>> = {}): Addresses {
  const entries = new Map(Object.entries(map));
  return (name) => entries.get(name) ?? name;
}

/** Reads the map that the local cluster writes, a JSON object. Without a file the names are the addresses. */
export function readAddresses(path: string | undefined): Addresses {
  return path ? addressesFrom(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>) : addressesFrom();
}

/** Splits `host:port`. Throws a `TypeError` for anything else. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65535) throw new TypeError(`not an address, host:port: "${address}"`);
  return { host: address.slice(0, colon), port };
}
