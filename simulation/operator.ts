import type { Random } from '../client/random.js';
import { Cluster, ControlError } from '../node-control/cluster.js';
import { membership, type MembershipCommand } from '../node-control/commands/membership.js';
import { rescan } from '../node-control/commands/rescan.js';
import { wipeAcceptor } from '../node-control/commands/wipe-acceptor.js';
import type { AcceptorAdmin, Connections, ProposerAdmin } from '../node-control/connections.js';
import { rescanKeys } from '../proposer/rescan.js';
import { ClusterError, PrepareError } from '../src/errors.js';
import { type Answer, NetworkError } from '../src/http-client.js';
import { sleep } from '../src/time.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { Network } from './network.js';
import { Process } from './process.js';
import type { ProposerNode, Running } from './proposer-node.js';
import type { Trace } from './trace.js';
import type { VirtualTime } from './virtual-time.js';

const REQUEST_TIMEOUT_MS = 1_000;
/** Between two attempts at the same command. */
const PAUSE_MS = 20;
/** How often a command may fail where nothing is lost any more: what is still on its way may be in its way. */
const CALM_ATTEMPTS = 100;
/** The longest that a control program lives that is going to be killed: most commands take about as long. */
const LIFE_MS = 60;
/** Keys of one page of SCAN, so that writes come between two pages. */
const PAGE_KEYS = 2;
const RESCAN_ATTEMPTS = 5;

export interface OperatorOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly proposers: readonly ProposerNode[];
  readonly acceptors: readonly AcceptorNode[];
  readonly trace: Trace;
  /**
   * How many attempts at a command are killed in the middle, from 0 to 1; and beside how many a second operator types the same. Not beside a
   * wipe: that one looks whether a proposer lists the acceptor, and wipes; nothing holds off an operator who adds it in between.
   */
  readonly deaths: number;
  readonly doubles: number;
}

/** Types the commands of a migration, each until it succeeds, into the real programs of the control node. */
export class Operator {
  readonly #options: OperatorOptions;
  #isCalm = false;
  #lastStep: string | undefined;
  attempts = 0;
  done = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** From now on no attempt is killed, and there is no second operator. */
  heal(): void {
    this.#isCalm = true;
  }

  /** Returns when the command has succeeded; false where it does not although all is mended. */
  async type(command: string): Promise<boolean> {
    const { random, trace, deaths, doubles, time } = this.#options;
    for (let calmAttempts = 0; calmAttempts < CALM_ATTEMPTS; calmAttempts += this.#isCalm ? 1 : 0) {
      this.attempts += 1;
      if (!this.#isCalm && random() < doubles && !command.startsWith('wipe')) void this.#attempt(command, 'operator-2', undefined);
      const lifeMs = !this.#isCalm && random() < deaths ? random() * LIFE_MS : undefined;
      const result = await this.#attempt(command, 'operator-1', lifeMs);
      trace.event(() => `operator-1: ${command}: ${result ?? 'done'}`);
      if (result === undefined) {
        this.done += 1;
        if (!command.startsWith('rescan')) this.#lastStep = command;
        return true;
      }
      // The second operator left half of a step behind: done again as the message says.
      if (result.startsWith('the proposers differ') && this.#lastStep) await this.#attempt(this.#lastStep, 'operator-1', undefined);
      await sleep(time, random() * PAUSE_MS);
    }
    return false;
  }

  /** Undefined where it succeeded, else why not. */
  #attempt(command: string, name: string, lifeMs: number | undefined): Promise<string | undefined> {
    const { time } = this.#options;
    const control = new Process(time);
    return new Promise((resolve, reject) => {
      if (lifeMs !== undefined) {
        time.after(lifeMs, () => {
          control.kill();
          resolve('killed');
        });
      }
      this.#run(command, this.#clusterFor(control, name)).then(
        () => resolve(undefined),
        (error: unknown) => {
          if (error instanceof ControlError) resolve(error.message);
          else reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #run(text: string, cluster: Cluster): Promise<unknown> {
    const [command = '', first = '', second = '', third = ''] = text.split(' ');
    if (command === 'rescan') return rescan(cluster, first.split(','), Number(second), { show: () => undefined });
    if (command === 'wipe-acceptor') return wipeAcceptor(cluster, first, { force: false });
    return membership(cluster, command as MembershipCommand, first, second, Number(third));
  }

  #clusterFor(caller: Process, name: string): Cluster {
    const { network, proposers, acceptors } = this.#options;
    const connections: Connections = {
      proposer: (to) => adminAcross(network, caller, name, named(proposers, to)),
      acceptor: (to) => acceptorAdminAcross(network, caller, name, named(acceptors, to)),
    };
    const names = (nodes: readonly { name: string }[]): string[] => nodes.map((node) => node.name);
    return new Cluster(names(proposers), names(acceptors), connections);
  }
}

/** Throws for a name that no node has. */
export function named<Node extends { readonly name: string }>(nodes: readonly Node[], name: string): Node {
  const node = nodes.find((candidate) => candidate.name === name);
  if (!node) throw new TypeError(`no node ${name}`);
  return node;
}

/** A proposer's configuration port. */
function adminAcross(network: Network, caller: Process, from: string, node: ProposerNode): ProposerAdmin {
  const call = async <Body>(request: string, act: (running: Running) => Promise<Body>): Promise<Answer<Body>> => {
    const answer = network.call<Answer<Body>>({
      caller,
      from,
      to: node.name,
      act: async () => act(node.running).then((body) => ({ ok: true, status: 200, body }), refusalOf),
      request: () => request,
      reply: (reply) => (reply.ok ? JSON.stringify(reply.body) : reply.code),
    });
    return inTime(caller, answer);
  };
  return {
    configuration: () => call('GET /configuration', async ({ member }) => member.configuration),
    identity: () => call('GET /identity', async ({ member }) => member.identity),
    configure: (expectedEra, next) =>
      call(`PUT /configuration ${JSON.stringify(next)} at era ${expectedEra}`, ({ member }) => member.reconfigure(expectedEra, next)),
    rescan: (era, keys) =>
      call(`POST /rescan ${keys.join(' ')} at era ${era}`, async (running) => {
        const { done, failed } = await rescanKeys(running.member, era, keys, (key) => rescanKey(running, key));
        return { done: [...done], failed: [...failed] };
      }),
    close: async () => undefined,
  };
}

/** With some patience: clients' rounds for the key come first. */
async function rescanKey({ kv, process }: Running, key: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await kv.rescan(key);
      return;
    } catch (error) {
      if (!(error instanceof ClusterError) || attempt === RESCAN_ATTEMPTS) throw error;
    }
    await sleep(process.time, attempt);
  }
}

function acceptorAdminAcross(network: Network, caller: Process, from: string, node: AcceptorNode): AcceptorAdmin {
  const call = <Reply>(request: string, act: () => Reply, reply: (reply: Reply) => string): Promise<Reply> =>
    inTime(caller, network.call({ caller, from, to: node.name, act: () => node.act(async () => act()), request: () => request, reply }));
  let connection = node.connections;
  return {
    async connect() {
      connection = node.connections;
    },
    async *keys() {
      const keys = await call(
        'SCAN',
        () => node.keys(),
        (found) => `${found.length} keys`,
      );
      for (let at = 0; at === 0 || at < keys.length; at += PAGE_KEYS) {
        yield await call(
          'SCAN',
          () => keys.slice(at, at + PAGE_KEYS),
          (page) => page.join(' '),
        );
      }
    },
    size: () => call('DBSIZE', () => node.keys().length, String),
    wipe: () =>
      call(
        'FLUSHALL',
        () => {
          if (node.connections !== connection) throw new Error('connection closed');
          return node.wipe();
        },
        (count) => `${count} keys removed`,
      ),
    close: () => undefined,
  };
}

/** Rejects as the HTTP client does where no answer comes. */
function inTime<Reply>(caller: Process, answer: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const cancel = caller.time.after(REQUEST_TIMEOUT_MS, () => reject(new NetworkError('no answer in time')));
    void answer.then(resolve, (error: unknown) => reject(new NetworkError(String(error)))).finally(cancel);
  });
}

function refusalOf(error: unknown): Answer<never> {
  const refusal = error instanceof ClusterError ? error : new PrepareError(String(error));
  return { ok: false, status: refusal.status, code: refusal.code, message: refusal.message, body: { ...refusal.details } };
}
