import type { ProposerAdmin } from '../../node-control/nodes/connections.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { type Answer, NetworkError } from '../../src/http/client.js';
import { refusalOf } from '../../src/http/refusal.js';
import type { Floor } from '../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { AcceptorAdmin, Copied, Remains } from '../../src/redis/acceptor-admin.js';
import type { Holding } from '../../src/redis/holding.js';
import { EraMismatch } from '../../src/store/errors.js';
import { VirtualTime } from '../simulation/virtual-time.js';
import type { CollectorMessage, CollectorReply } from './collector-messages.js';
import { KEY } from './key.js';
import type { ControlTask } from './control-tasks.js';
import type { AdminWrite } from './scenario.js';

/** What a collection waits for. */
export type Wish =
  | { readonly kind: 'replies'; readonly message: CollectorMessage; readonly acceptors: readonly string[] }
  | { readonly kind: 'write'; readonly write: AdminWrite; readonly expectedEra: number; readonly isSent: boolean }
  | { readonly kind: 'configurations' }
  | { readonly kind: 'nothing' };

/** All that reaches it from outside. */
export type CollectorInput =
  | { readonly kind: 'replies'; readonly replies: readonly CollectorReply[] }
  /** What it writes waits for a round to end. */
  | { readonly kind: 'sent' }
  /** Undefined: it was refused, because the era was another one. */
  | { readonly kind: 'written'; readonly configuration: Configuration | undefined }
  | { readonly kind: 'configurations'; readonly configurations: readonly Configuration[] };

interface Question<Told> {
  readonly of: string;
  readonly answer: (told: Told) => void;
}

const never = <Result>(): Promise<Result> => new Promise(() => undefined);

/**
 * One collection or copying of the product, with a world in place of the network. A collection looks at the key once: if that shows nothing to be removed, it
 * ends, since a look that comes later is another execution of this world. What it would do after its removals, looking, it does not. Either ends if a round
 * has to come first.
 */
export class CollectorRun {
  readonly #proposers: readonly string[];
  readonly #identities: Readonly<Record<string, string>>;
  readonly #configurations: Question<Configuration>[] = [];
  readonly #asked: (Question<CollectorReply> & { readonly message: CollectorMessage })[] = [];
  readonly #time = new VirtualTime();
  #write:
    | (AdminWrite & { readonly expectedEra: number; isSent: boolean; readonly answer: (answer: Answer<Configuration>) => void })
    | undefined;
  #looks = 0;
  /** Acceptors that have listed their keys, and are asked next whether there is a tombstone among these. */
  readonly #listed = new Set<string>();
  #isOver = false;

  /**
   * @param task what it does
   * @param proposers how many there are
   */
  constructor(task: ControlTask, proposers: number, acceptors: readonly string[], identities: Readonly<Record<string, string>>) {
    this.#proposers = Array.from({ length: proposers }, (_, index) => `p${index + 1}`);
    this.#identities = identities;
    const connections = { proposer: (name: string) => this.#proposer(name), acceptor: (name: string) => this.#acceptor(name) };
    const nodes = new Nodes(this.#proposers, acceptors, connections, undefined, { time: this.#time });
    const end = (): void => void (this.#isOver = true);
    void task(nodes).then(end, end);
  }

  settle(): Promise<void> {
    return this.#time.settle();
  }

  get wish(): Wish {
    if (this.#isOver) return { kind: 'nothing' };
    const [first] = this.#asked;
    if (first) return { kind: 'replies', message: first.message, acceptors: this.#asked.map(({ of }) => of) };
    if (this.#write) {
      const { proposer, configuration, expectedEra, isSent } = this.#write;
      return { kind: 'write', write: { proposer, configuration }, expectedEra, isSent };
    }
    return this.#configurations.length > 0 ? { kind: 'configurations' } : { kind: 'nothing' };
  }

  async apply(input: CollectorInput): Promise<void> {
    if (input.kind === 'replies') {
      for (const [index, { answer }] of this.#asked.splice(0).entries()) {
        const reply = input.replies[index];
        if (reply) answer(reply);
      }
    } else if (input.kind === 'sent') {
      if (this.#write) this.#write.isSent = true;
    } else if (input.kind === 'written') {
      const { answer } = this.#write ?? {};
      this.#write = undefined;
      const body = input.configuration;
      answer?.(body ? { ok: true, status: 200, body } : refusalOf(new EraMismatch('somebody else changed it')));
    } else {
      for (const { of, answer } of this.#configurations.splice(0)) {
        const configuration = input.configurations[this.#proposers.indexOf(of)];
        if (configuration) answer(configuration);
      }
    }
    await this.settle();
  }

  #proposer(name: string): ProposerAdmin {
    const proposer = this.#proposers.indexOf(name);
    return {
      configuration: () =>
        new Promise((resolve) => {
          this.#configurations.push({ of: name, answer: (body) => resolve({ ok: true, status: 200, body }) });
        }),
      configure: (expectedEra, configuration) =>
        new Promise((answer) => (this.#write = { proposer, configuration, expectedEra, isSent: false, answer })),
      rescan: () => {
        this.#isOver = true;
        return never();
      },
      identity: () => Promise.reject(new NetworkError('not asked in a collection')),
      close: async () => undefined,
    };
  }

  #acceptor(name: string): AcceptorAdmin {
    const listed = this.#listed;
    return {
      connect: async () => undefined,
      async *keys() {
        listed.add(name);
        yield [KEY];
      },
      size: async () => 1,
      identity: async () => this.#identities[name],
      floor: async () => (await this.#ask<{ told: Floor }>(name, { kind: 'floor' })).told,
      raiseFloor: async (floor) => {
        await this.#ask(name, { kind: 'raise floor', floor });
      },
      remains: async () => {
        // That this acceptor held a tombstone at some moment is only why all of them are looked at then.
        if (listed.delete(name)) return [{ key: KEY, ballot: ZERO_BALLOT, version: 0 }];
        return [(await this.#ask<{ remains: Remains | null }>(name, { kind: 'remains' })).remains ?? undefined];
      },
      erase: async (era, tombstones) => (await this.#ask<{ erased: number }>(name, { kind: 'erase', era, tombstones })).erased,
      highestEra: never,
      adopt: never,
      wipe: never,
      holdings: async () => [(await this.#ask<{ holding: Holding }>(name, { kind: 'holdings' })).holding],
      accepted: async () => [(await this.#ask<{ accepted: Copied | null }>(name, { kind: 'accepted' })).accepted ?? undefined],
      copy: async (era, registers) => (await this.#ask<{ held: string[] }>(name, { kind: 'copy', era, registers })).held,
      close: () => undefined,
    };
  }

  #ask<Reply extends CollectorReply>(of: string, message: CollectorMessage): Promise<Reply> {
    if (message.kind === 'remains' && this.#asked.length === 0) this.#looks += 1;
    if (this.#looks > 1) {
      this.#isOver = true;
      return never();
    }
    return new Promise((resolve) => this.#asked.push({ of, message, answer: (reply) => resolve(reply as Reply) }));
  }
}
