import type { Logger } from 'pino';
import type { Addresses } from '../src/addresses.js';
import { type Configuration, acceptorsOf } from '../src/configuration.js';
import { containsQuorum } from '../src/quorum.js';
import { RedisAcceptor } from '../src/redis-acceptor.js';
import { ACCEPTOR_TIMEOUT_MS, CONNECT_WAIT_MS } from './limits.js';

interface Member {
  readonly acceptor: RedisAcceptor;
  /** Settles at the first connection. */
  readonly connected: Promise<void>;
}

/** One connection to each acceptor of the configuration. */
export class AcceptorPool {
  readonly #members = new Map<string, Member>();
  readonly #addresses: Addresses;
  readonly #log: Logger;

  constructor(addresses: Addresses, log: Logger) {
    this.#addresses = addresses;
    this.#log = log;
  }

  get(name: string): RedisAcceptor {
    return (this.#members.get(name) ?? this.#open(name)).acceptor;
  }

  /** Opens what the configuration needs, so that its first rounds find connections. Waits a bounded time: an acceptor may be down. */
  async connect(configuration: Configuration): Promise<void> {
    const names = acceptorsOf(configuration);
    const connected = names.map((name) => (this.#members.get(name) ?? this.#open(name)).connected);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, CONNECT_WAIT_MS)));
    await Promise.race([Promise.all(connected), patience]);
    clearTimeout(timer);
    for (const name of names) if (!this.get(name).reachable) this.#log.warn({ acceptor: name }, 'acceptor does not answer');
  }

  /** Closes every connection that the configuration does not need. */
  retain(configuration: Configuration): void {
    const needed = new Set(acceptorsOf(configuration));
    for (const [name, { acceptor }] of this.#members) {
      if (needed.has(name)) continue;
      this.#members.delete(name);
      acceptor.close();
    }
  }

  /** Whether a prepare quorum and an accept quorum answer now. */
  async hasQuorum(configuration: Configuration): Promise<boolean> {
    const names = acceptorsOf(configuration);
    // No client's key is empty: this register does not exist.
    const answers = await Promise.allSettled(names.map((name) => this.get(name).read('')));
    const up = names.filter((_, index) => answers[index]?.status === 'fulfilled');
    return containsQuorum(configuration.prepare, up) && containsQuorum(configuration.accept, up);
  }

  #open(name: string): Member {
    let onConnected = (): void => undefined;
    const connected = new Promise<void>((resolve) => (onConnected = resolve));
    let wasReachable = false;
    const acceptor = new RedisAcceptor({
      address: this.#addresses(name),
      timeoutMs: ACCEPTOR_TIMEOUT_MS,
      onReachable: (reachable) => {
        if (!this.#members.has(name)) return;
        if (!reachable) this.#log.warn({ acceptor: name }, 'acceptor went away');
        else this.#log.info({ acceptor: name }, wasReachable ? 'acceptor came back' : 'acceptor connected');
        wasReachable ||= reachable;
        if (reachable) onConnected();
      },
    });
    const member = { acceptor, connected };
    this.#members.set(name, member);
    return member;
  }
}
