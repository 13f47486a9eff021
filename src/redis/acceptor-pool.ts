import { acceptorsOf, type Configuration } from '../protocol/configuration.js';
import type { Introduction, WentBack } from '../store/greeting.js';
import { type Addresses, addressesFrom, parseAddress } from '../node/addresses.js';
import type { Acceptors } from '../store/options.js';
import type { LinkState, OnState } from './link-options.js';
import { RedisAcceptor } from './redis-acceptor.js';
import { RedisClusterAcceptor } from './redis-cluster.js';
import type { RedisAccess } from './redis-connection.js';
import type { Rights } from '../store/rights.js';
import { lookAtRights } from './rights.js';
import { DEFAULT_LIMITS } from '../store/limits.js';
import type { OnTrouble, AcceptorTrouble } from './trouble.js';

type Link = RedisAcceptor | RedisClusterAcceptor;

export interface AcceptorState {
  readonly name: string;
  readonly state: LinkState;
  readonly isReady: boolean;
  readonly trouble?: AcceptorTrouble;
  /** Of a stranger whose disk went back. */
  readonly wentBack?: WentBack;
  /** The share of its memory that is used, from 0 to 1, if that is known. */
  readonly memoryUsed?: number;
}

interface Connection {
  readonly name: string;
  readonly identity: string | undefined;
  readonly acceptor: Link;
  /** Settles when it is known for the first time who answers. */
  readonly recognized: Promise<void>;
}

/** What became of a connection. `no answer`: the acceptor was unreachable when a configuration that lists it took effect. */
export type LinkEvent = 'connected' | 'came back' | 'no answer' | 'in trouble' | 'out of trouble' | Exclude<LinkState, 'ready'>;

export interface AcceptorPoolOptions {
  /** Finds the address of a logical name; without it the names are the addresses. See `parseAddress`. */
  readonly addresses?: Addresses;
  readonly access?: RedisAccess | undefined;
  /** For each message, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long a change of configuration waits for connections to acceptors that it adds. It goes on without: they may be down. */
  readonly connectWaitMs?: number;
  /** @param remark why it is unfit or in trouble, or what an operator should know of one that connected */
  readonly onLink?: (event: LinkEvent, name: string, identity: string | undefined, remark?: string) => void;
}

/** For a connection that is made once, before an acceptor joins, and for each question over it. */
const RIGHTS_WITHIN_MS = 2_000;
/** Longer than a connection takes on a busy machine, and no more than a client bears to wait. */
const CONNECT_WAIT_MS = 500;

/** One connection to each acceptor of the configuration. A name with another identity is another acceptor. */
export class AcceptorPool implements Acceptors {
  /** By name and identity, see {@link keyOf}. */
  readonly #connections = new Map<string, Connection>();
  /** The one that was asked for last under a name: each message asks for one. */
  readonly #lastOf = new Map<string, Connection>();
  #introduction: Introduction | undefined;
  readonly #options: Required<Pick<AcceptorPoolOptions, 'addresses' | 'timeoutMs' | 'connectWaitMs'>> & AcceptorPoolOptions;

  constructor(options: AcceptorPoolOptions = {}) {
    this.#options = {
      addresses: addressesFrom(),
      timeoutMs: DEFAULT_LIMITS.acceptorTimeoutMs,
      connectWaitMs: Math.max(CONNECT_WAIT_MS, options.timeoutMs ?? 0),
      ...options,
    };
  }

  get(name: string, identity?: string): Link {
    const last = this.#lastOf.get(name);
    if (last && last.identity === identity) return last.acceptor;
    const connection = this.#connection(name, identity);
    this.#lastOf.set(name, connection);
    return connection.acceptor;
  }

  /** Connections that are open already were opened on nobody's behalf. */
  introduce(introduction: Introduction): void {
    this.#introduction = introduction;
  }

  assertName(name: string): void {
    parseAddress(this.#options.addresses(name));
  }

  /** What this process' user lacks at an acceptor that is to join. Rejects if the acceptor cannot be asked in time. */
  rights(name: string): Promise<Rights> {
    const { addresses, access = {}, timeoutMs } = this.#options;
    return lookAtRights(addresses(name), access, Math.max(RIGHTS_WITHIN_MS, timeoutMs));
  }

  /** Opens what the configuration needs, so that its first rounds find connections. Waits a bounded time: an acceptor may be down. */
  async connect(configuration: Configuration): Promise<void> {
    const connections = this.#connectionsOf(configuration);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, this.#options.connectWaitMs)));
    await Promise.race([Promise.all(connections.map(({ recognized }) => recognized)), patience]);
    clearTimeout(timer);
    for (const { name, identity, acceptor } of connections) {
      if (acceptor.state === 'unreachable') this.#options.onLink?.('no answer', name, identity);
    }
  }

  /** Tells the acceptors that the configuration is in force, and closes every connection that it does not need. */
  retain(configuration: Configuration): void {
    this.#lastOf.clear();
    const needed = new Set(this.#connectionsOf(configuration));
    for (const [key, connection] of this.#connections) {
      if (needed.has(connection)) {
        connection.acceptor.greetNow();
        continue;
      }
      this.#connections.delete(key);
      void connection.acceptor.leave();
    }
  }

  close(): void {
    for (const { acceptor } of this.#connections.values()) acceptor.close();
    this.#connections.clear();
    this.#lastOf.clear();
  }

  /** The acceptors that would not take a write now, by name: they do not answer, are others than are meant, or are in trouble. */
  async missing(configuration: Configuration): Promise<string[]> {
    const connections = this.#connectionsOf(configuration);
    const answers = await Promise.allSettled(connections.map(({ acceptor }) => acceptor.tryWrite()));
    return connections
      .filter(({ acceptor }, index) => acceptor.trouble !== undefined || answers[index]?.status !== 'fulfilled')
      .map(({ name }) => name);
  }

  /** The acceptors at whose address another one answers, by name. */
  strangers(configuration: Configuration): string[] {
    return this.#connectionsOf(configuration).flatMap(({ name, acceptor }) => (acceptor.state === 'stranger' ? [name] : []));
  }

  /** Why acceptors that answer are unfit, with their names. */
  unfit(configuration: Configuration): string[] {
    return this.#connectionsOf(configuration).flatMap(({ name, acceptor: { flaws } }) =>
      flaws === '' ? [] : [`${name} is unfit: ${flaws}`],
    );
  }

  /** Of each acceptor of the configuration: whether it is connected, the one that is meant, fit, and does what it is told. */
  states(configuration: Configuration): AcceptorState[] {
    return this.#connectionsOf(configuration).map(({ name, acceptor: { state, trouble, wentBack, memoryUsed } }) => ({
      name,
      state,
      isReady: state === 'ready' && !trouble,
      ...(trouble && { trouble }),
      ...(wentBack && { wentBack }),
      ...(memoryUsed !== undefined && { memoryUsed }),
    }));
  }

  #connectionsOf(configuration: Configuration): Connection[] {
    return acceptorsOf(configuration).map((name) => this.#connection(name, configuration.identities?.[name]));
  }

  #connection(name: string, identity: string | undefined): Connection {
    return this.#connections.get(keyOf(name, identity)) ?? this.#open(name, identity);
  }

  #open(name: string, identity: string | undefined): Connection {
    const { addresses, access, timeoutMs, onLink } = this.#options;
    let onRecognized = (): void => undefined;
    const recognized = new Promise<void>((resolve) => (onRecognized = resolve));
    let wasReady = false;
    const onState: OnState = (state, remark): void => {
      if (this.#connections.get(keyOf(name, identity)) !== connection) return;
      const ready = wasReady ? 'came back' : 'connected';
      wasReady ||= state === 'ready';
      onLink?.(state === 'ready' ? ready : state, name, identity, remark);
      if (state !== 'unreachable' && state !== 'loading') onRecognized();
    };
    const onTrouble: OnTrouble = (trouble) => onLink?.(trouble ? 'in trouble' : 'out of trouble', name, identity, trouble?.text);
    const address = addresses(name);
    const introduction = this.#introduction;
    const options = { address, access, identity, timeoutMs, onState, onTrouble, ...(introduction && { introduction }) };
    const acceptor = parseAddress(address).isCluster ? new RedisClusterAcceptor(options) : new RedisAcceptor(options);
    const connection = { name, identity, acceptor, recognized };
    this.#connections.set(keyOf(name, identity), connection);
    return connection;
  }
}

/** Acceptors that are Redis servers or Redis Clusters. */
export function redisAcceptors(options: AcceptorPoolOptions = {}): AcceptorPool {
  return new AcceptorPool(options);
}

/** An identity alone would not do: an acceptor that was renamed has another address. */
function keyOf(name: string, identity = ''): string {
  return `${name}\n${identity}`;
}
