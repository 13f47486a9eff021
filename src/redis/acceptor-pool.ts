import type { Logger } from 'pino';
import { type Addresses, parseAddress } from '../node/addresses.js';
import { type Configuration, acceptorsOf } from '../protocol/configuration.js';
import { type LinkState, RedisAcceptor } from './redis-acceptor.js';
import { REPLICATED, RedisClusterAcceptor } from './redis-cluster.js';
import type { RedisAccess } from './redis-connection.js';
import { ACCEPTOR_TIMEOUT_MS, CONNECT_WAIT_MS } from '../../proposer/limits.js';

const STRANGER = 'this acceptor lost its data or is another one, and is not used; run-control.sh status says how to replace it';

type Link = RedisAcceptor | RedisClusterAcceptor;

interface Member {
  readonly name: string;
  readonly acceptor: Link;
  /** Settles when it is known for the first time who answers. */
  readonly recognized: Promise<void>;
}

/** One connection to each acceptor of the configuration. A name with another identity is another acceptor. */
export class AcceptorPool {
  /** By name and identity, see {@link keyOf}. */
  readonly #members = new Map<string, Member>();
  readonly #addresses: Addresses;
  readonly #log: Logger;
  readonly #access: RedisAccess | undefined;

  constructor(addresses: Addresses, log: Logger, access?: RedisAccess) {
    this.#addresses = addresses;
    this.#log = log;
    this.#access = access;
  }

  get(name: string, identity?: string): Link {
    return (this.#members.get(keyOf(name, identity)) ?? this.#open(name, identity)).acceptor;
  }

  /** Opens what the configuration needs, so that its first rounds find connections. Waits a bounded time: an acceptor may be down. */
  async connect(configuration: Configuration): Promise<void> {
    const members = this.#membersOf(configuration);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, CONNECT_WAIT_MS)));
    await Promise.race([Promise.all(members.map(({ recognized }) => recognized)), patience]);
    clearTimeout(timer);
    for (const { name, acceptor } of members) if (acceptor.state === 'away') this.#log.warn({ acceptor: name }, 'acceptor does not answer');
  }

  /** Closes every connection that the configuration does not need. */
  retain(configuration: Configuration): void {
    const needed = new Set(this.#membersOf(configuration));
    for (const [key, member] of this.#members) {
      if (needed.has(member)) continue;
      this.#members.delete(key);
      member.acceptor.close();
    }
  }

  /** The acceptors that do not answer now as those that are meant, by name. */
  async silent(configuration: Configuration): Promise<string[]> {
    const members = this.#membersOf(configuration);
    // No client's key is empty: this register does not exist.
    const answers = await Promise.allSettled(members.map(({ acceptor }) => acceptor.read('')));
    return members.filter((_, index) => answers[index]?.status !== 'fulfilled').map(({ name }) => name);
  }

  /** The acceptors at whose address another one answers, by name. */
  strangers(configuration: Configuration): string[] {
    return this.#membersOf(configuration).flatMap(({ name, acceptor }) => (acceptor.state === 'stranger' ? [name] : []));
  }

  /** Of each acceptor of the configuration: whether it is connected and the one that is meant. */
  states(configuration: Configuration): { readonly name: string; readonly isReady: boolean }[] {
    return this.#membersOf(configuration).map(({ name, acceptor }) => ({ name, isReady: acceptor.state === 'ready' }));
  }

  #membersOf(configuration: Configuration): Member[] {
    return acceptorsOf(configuration).map((name) => {
      const identity = configuration.identities?.[name];
      return this.#members.get(keyOf(name, identity)) ?? this.#open(name, identity);
    });
  }

  #open(name: string, identity: string | undefined): Member {
    let onRecognized = (): void => undefined;
    const recognized = new Promise<void>((resolve) => (onRecognized = resolve));
    let wasReady = false;
    const tell = (state: LinkState): void => {
      if (this.#members.get(keyOf(name, identity)) !== member) return;
      if (state === 'away') this.#log.warn({ acceptor: name }, 'acceptor went away');
      else if (state === 'stranger') this.#log.error({ acceptor: name, identity }, STRANGER);
      else if (state === 'replicated') this.#log.error({ acceptor: name, identity }, REPLICATED);
      else this.#log.info({ acceptor: name }, wasReady ? 'acceptor came back' : 'acceptor connected');
      wasReady ||= state === 'ready';
      if (state !== 'away') onRecognized();
    };
    const address = this.#addresses(name);
    const options = { address, access: this.#access, identity, timeoutMs: ACCEPTOR_TIMEOUT_MS, onState: tell };
    const acceptor = parseAddress(address).isCluster ? new RedisClusterAcceptor(options) : new RedisAcceptor(options);
    const member = { name, acceptor, recognized };
    this.#members.set(keyOf(name, identity), member);
    return member;
  }
}

/** An identity alone would not do: an acceptor that was renamed has another address. */
function keyOf(name: string, identity = ''): string {
  return `${name}\n${identity}`;
}
