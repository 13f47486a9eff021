import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

/*
 * Where no name server answers, the system takes some ten seconds to look up a name, and it is one of four threads that all of this process share which
 * waits. So one acceptor that is gone must not be looked up by each attempt to reach it, or nobody reaches the others.
 */

/** How long a connection waits for a name to be looked up before it tries the last address that worked, in milliseconds. */
const PATIENCE_MS = 50;

type Find = (name: string) => Promise<readonly LookupAddress[]>;

/** Looks up each name once at a time, whoever asks for it, and remembers where it led to. */
export class Names {
  readonly #find: Find;
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  readonly #worked = new Map<string, LookupAddress>();
  readonly #remembered = new WeakSet<Socket>();

  constructor(find: Find = (name) => lookup(name, { all: true })) {
    this.#find = find;
  }

  /** A socket that goes where the name leads; or, if nobody says where that is, to where the one was that answered to it last. */
  connect(name: string, port: number, tls: RedisOptions['tls']): Socket {
    const lookUp: LookupFunction = (_name, { all }, callback) => {
      void this.#addresses(name).then(
        ({ addresses, isRemembered }) => {
          if (isRemembered) this.#remembered.add(socket);
          const [first] = addresses;
          if (all || !first) callback(null, [...addresses]);
          else callback(null, first.address, first.family);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), []),
      );
    };
    const options = { host: name, port, lookup: lookUp };
    // The look-up begins later, and knows the socket by then.
    const socket = tls ? connectTls({ ...options, ...tls }) : connect(options);
    return socket;
  }

  /** Notes that the one that is meant answers at the other end of this socket. */
  worked(name: string, socket: Socket): void {
    const { remoteAddress, remoteFamily } = socket;
    this.#remembered.delete(socket);
    if (remoteAddress !== undefined) this.#worked.set(name, { address: remoteAddress, family: remoteFamily === 'IPv6' ? 6 : 4 });
  }

  /** Whether somebody else answers at an address that was only remembered, and never worked since: it is forgotten, and the name is looked up. */
  misled(name: string, socket: Socket): boolean {
    return this.#remembered.has(socket) && this.#worked.delete(name);
  }

  async #addresses(name: string): Promise<{ addresses: readonly LookupAddress[]; isRemembered: boolean }> {
    const found = this.#lookUp(name).then((addresses) => ({ addresses, isRemembered: false }));
    const worked = this.#worked.get(name);
    if (!worked) return found;
    const remembered = { addresses: [worked], isRemembered: true };
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<typeof remembered>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, remembered)));
    try {
      return await Promise.race([found.catch(() => remembered), patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  #lookUp(name: string): Promise<readonly LookupAddress[]> {
    const present = this.#underWay.get(name);
    if (present) return present;
    const search = this.#find(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, search);
    return search;
  }
}

/** Those of this process: its threads are what is short. */
export const NAMES = new Names();

/** As ioredis has it by default. */
const DISCONNECT_TIMEOUT_MS = 2_000;

/** Opens the connections of an ioredis client. By itself it would not let a `lookup` through to them. */
export function connectorTo(names: Names, host: string, port: number, tls: RedisOptions['tls']): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    override connect(): Promise<Socket> {
      this.connecting = true;
      return new Promise((resolve, reject) => {
        process.nextTick(() => {
          // The client may have been closed as soon as it was made.
          if (!this.connecting) {
            reject(new Error('Connection is closed.'));
            return;
          }
          this.stream = names.connect(host, port, tls);
          // Not once: an error that comes after the connection was given up, as a last TLS alert does, would end the process.
          this.stream.on('error', (error) => (this.firstError ??= error));
          resolve(this.stream);
        });
      });
    }
  };
}
