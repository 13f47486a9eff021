import type { NodeSettings } from '../../../../node-control/nodes/settings.js';
import type { WatchedConnections } from '../../../../node-control/nodes/connections.js';
import type { Floor } from '../../../../src/protocol/acceptor.js';
import type { Configuration } from '../../../../src/protocol/configuration.js';
import type { DatedConfiguration, PrometheusMetric } from '../../../../src/http/client.js';
import type { RegisterText } from '../../../../src/redis/redis-admin.js';

/** A proposer in memory, as the control node sees it. */
export interface WatchedProposer {
  /** Undefined: it refuses to tell. */
  configuration?: Configuration | undefined;
  /** Those before it. */
  history?: readonly DatedConfiguration[];
  metrics?: readonly PrometheusMetric[];
  isGone?: boolean;
}

/** An acceptor in memory, as the control node sees it. */
export interface WatchedAcceptor {
  identity?: string | undefined;
  keys?: number;
  floor?: Floor;
  register?: Partial<RegisterText>;
  /** Names of settings that are wrong. */
  flaws?: readonly string[];
  memoryUsed?: number;
  isGone?: boolean;
  /** It still reads its file. */
  isLoading?: boolean;
}

/** Nodes that a test changes as it likes, and that count what they are asked. */
export class WatchedNodes {
  readonly proposers: Record<string, WatchedProposer>;
  readonly acceptors: Record<string, WatchedAcceptor>;
  /** How often any node was connected to. */
  asked = 0;
  /** What every answer of a proposer waits for. */
  delay = Promise.resolve();
  /** Connections that nobody closed. */
  open = 0;

  constructor(proposers: Record<string, WatchedProposer>, acceptors: Record<string, WatchedAcceptor>) {
    this.proposers = proposers;
    this.acceptors = acceptors;
  }

  get nodes(): NodeSettings {
    const connections = {
      proposer: (name: string) => this.#proposer(() => this.proposers[name] ?? {}),
      acceptor: (name: string) => this.#acceptor(() => this.acceptors[name] ?? {}),
    };
    return {
      proposers: Object.keys(this.proposers),
      acceptors: Object.keys(this.acceptors),
      connections: connections as unknown as WatchedConnections,
      addresses: (name) => name,
    };
  }

  #proposer(present: () => WatchedProposer) {
    const reached = async <Body>(body: Body | undefined) => {
      await this.delay;
      if (present().isGone) throw new Error('nobody is there');
      return body === undefined ? { ok: false } : { ok: true, body };
    };
    this.open += 1;
    return {
      configuration: () => {
        this.asked += 1;
        return reached(present().configuration);
      },
      configurations: () => {
        this.asked += 1;
        const { configuration, history = [] } = present();
        return reached(configuration && [...history, { atMs: Date.now(), configuration }]);
      },
      metrics: () => reached(present().metrics ?? []),
      close: () => {
        this.open -= 1;
        return Promise.resolve();
      },
    };
  }

  #acceptor(present: () => WatchedAcceptor) {
    const reached = <Reply>(reply: Reply) => {
      const { isGone, isLoading } = present();
      const trouble = isGone ? 'nobody is there' : isLoading ? 'LOADING, it still reads its file. Wait until it has' : undefined;
      return trouble === undefined ? Promise.resolve(reply) : Promise.reject(new Error(trouble));
    };
    this.open += 1;
    return {
      connectUnlessLoading: () => {
        this.asked += 1;
        return reached(undefined);
      },
      size: () => reached(present().keys ?? 0),
      identity: () => reached(present().identity),
      floor: () => reached(present().floor ?? { era: 0, version: 0 }),
      fitness: () =>
        reached({
          flaws: (present().flaws ?? []).map((setting) => ({ setting, value: 'no', mend: 'mend it' })),
          cautions: [],
          memoryUsed: present().memoryUsed,
        }),
      register: () => reached({ promise: null, ballot: null, value: null, ...present().register }),
      close: () => void (this.open -= 1),
    };
  }
}
