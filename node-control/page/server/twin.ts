import type { AdminClient } from '../../../src/http/client.js';
import { sleep } from '../../../src/protocol/time.js';
import { systemTime } from '../../../src/store/system-time.js';
import type { NodeSettings } from '../../nodes/settings.js';
import { shortName } from '../../narration/short-name.js';
import { isSilent, NodeProbe } from './node-probe.js';
import { tell, type TwinMoment } from './twin-telling.js';

/** However many pages look, the proposers are asked once in this time. */
const FRESH_MS = 400;
/** How long a page waits for a proposer: of one that takes longer nothing is told. */
const ANSWERS_MS = 1_000;
/** Of changes of what is watched that are under way. */
const CHANGES_MAX = 10;

/** A node as it is drawn: `name` is that of the playground's stage. */
export interface TwinNode {
  readonly name: string;
  readonly title: string;
}

/** All that the page draws of the key that is watched. */
export interface TwinView {
  /** Undefined: no proposer watches a key. */
  readonly key?: string;
  readonly proposers: readonly (TwinNode & { readonly isWatching: boolean })[];
  readonly acceptors: readonly TwinNode[];
  /** In the order in which they happened, by the proposers' clocks. */
  readonly moments: readonly TwinMoment[];
}

interface WatchingProposer {
  readonly name: string;
  readonly admin: AdminClient;
  readonly probe: NodeProbe<Awaited<ReturnType<AdminClient['watched']>>>;
}

/** The one key that all proposers watch, for all pages together. They end it by themselves when no page looks. */
export class Twin {
  readonly #nodes: NodeSettings;
  /** Their connections are opened by the first question. */
  readonly #proposers: readonly WatchingProposer[];
  #telling: Promise<TwinView> | undefined;
  /** What a page asked this control node for last. */
  #wanted: string | undefined;
  #changes = 0;

  constructor(nodes: NodeSettings) {
    this.#nodes = nodes;
    this.#proposers = nodes.proposers.map((name) => {
      const admin = nodes.connections.proposer(name);
      return {
        name,
        admin,
        probe: new NodeProbe(
          () => admin.watched(),
          systemTime,
          () => Promise.resolve(false),
        ),
      };
    });
  }

  get isBusy(): boolean {
    return this.#changes >= CHANGES_MAX;
  }

  /** @param key to watch in place of the one before; undefined: none. A proposer that does not answer is left out. */
  async watch(key: string | undefined): Promise<TwinView> {
    this.#changes += 1;
    this.#wanted = key;
    try {
      const changes = this.#proposers.map(({ admin }) => (key === undefined ? admin.unwatch() : admin.watch(key)));
      await soon(Promise.allSettled(changes));
    } finally {
      this.#changes -= 1;
    }
    this.#telling = undefined;
    return this.look();
  }

  look(): Promise<TwinView> {
    if (!this.#telling) {
      this.#telling = this.#look();
      setTimeout(() => (this.#telling = undefined), FRESH_MS).unref();
    }
    return this.#telling;
  }

  async #look(): Promise<TwinView> {
    await soon(Promise.all(this.#proposers.map(({ probe }) => probe.poll())));
    const seen = this.#proposers.map(({ name, probe: { state, answer } }) => ({
      name,
      watched: !isSilent(state) && answer?.ok ? answer.body : null,
    }));
    const key = seen.find(({ watched }) => watched !== null)?.watched?.key;
    if (key !== undefined && key === this.#wanted) this.#watchEverywhere(key);
    const watching = seen.map(({ name, watched }) => ({ name, watched: watched?.key === key ? watched : null }));
    const proposers = watching.map(({ name, watched }, index) => {
      return { name: `p${watched?.proposer ?? index + 1}`, title: name, isWatching: watched !== null };
    });
    const acceptors = this.#nodes.acceptors.map((name, index) => ({ name: `a${index + 1}`, title: shortName(name) }));
    const told = watching.flatMap(({ watched }) => watched ?? []);
    const moments = tell(told, this.#nodes.acceptors);
    return { ...(key !== undefined && { key }), proposers, acceptors, moments };
  }

  /** One that was started again watches nothing. */
  #watchEverywhere(key: string): void {
    for (const { admin, probe } of this.#proposers) {
      const { state, answer } = probe;
      if (state === 'healthy' && answer?.ok && answer.body === null) void admin.watch(key).catch(() => undefined);
    }
  }
}

function soon(answers: Promise<unknown>): Promise<unknown> {
  return Promise.race([answers, sleep(systemTime, ANSWERS_MS)]);
}
