import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { typeCommand } from '../node-control/commands/command-line.js';
import { nodesFrom } from '../node-control/nodes/settings.js';
import type { Configuration } from '../src/protocol/configuration.js';
import type { QuorumSet } from '../src/protocol/quorum.js';
import { DIST, ProposerProcess } from './proposer-process.js';
import { RedisServer } from './redis-server.js';

/** No answer takes longer: proposer/limits.ts says 3.5 s, and the machine may be busy. */
export const ANSWER_WITHIN_MS = 10_000;

/** For tests in which no acceptor stands still: on a busy machine one may take long, and that is not what they are about. */
export const UNHURRIED = { ACCEPTOR_TIMEOUT_MS: '1500' };

export interface ClusterOptions {
  /** How many Redis servers run, named acceptor-1:6379 and so on. */
  readonly acceptors?: number;
  readonly proposers?: number;
  /** How many of the acceptors both sets list, with majorities as quorums; 0: the proposers stay unconfigured. */
  readonly configured?: number;
  /** Numbers for the proposers other than 1, 2 and so on. */
  readonly ids?: readonly number[];
  /** Addresses of acceptors that run already, instead of Redis servers of its own. */
  readonly addresses?: readonly string[];
  /** Variables for every program. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ControlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Real Redis servers and real proposers under the logical names of the demo, on free ports and in folders of their own. */
export class Cluster {
  readonly acceptors: RedisServer[] = [];
  readonly proposers: ProposerProcess[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  readonly #addresses: readonly string[] | undefined;
  readonly #env: Readonly<Record<string, string>>;

  private constructor({ addresses, env = {} }: ClusterOptions) {
    this.#addresses = addresses;
    this.#env = env;
  }

  /** A cluster for several tests: end it with {@link stop} in `afterAll`. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { addresses, acceptors = addresses?.length ?? 3, proposers = 2, configured = acceptors, ids, env = {} } = options;
    const cluster = new Cluster(options);
    try {
      if (!addresses) cluster.acceptors.push(...(await Promise.all(Array.from({ length: acceptors }, () => RedisServer.start()))));
      for (let index = 0; index < proposers; index += 1) {
        cluster.proposers.push(await ProposerProcess.prepare({ id: ids?.[index] ?? index + 1, addressMap: cluster.addressMap, env }));
      }
      cluster.#writeAddresses();
      await Promise.all(cluster.proposers.map((proposer) => proposer.start()));
      if (configured > 0 && proposers > 0) await cluster.configure(majorities(configured));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** A cluster for one test: ended with it. */
  static async forThisTest(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.start(options);
    onTestFinished(() => cluster.stop());
    return cluster;
  }

  /** The path of the file from logical to real addresses. */
  get addressMap(): string {
    return join(this.#folder, 'addresses.json');
  }

  acceptor(number: number): RedisServer {
    return present(this.acceptors[number - 1]);
  }

  proposer(number: number): ProposerProcess {
    return present(this.proposers[number - 1]);
  }

  /** Gives every proposer the same sets, under an era above all of theirs, without the control node. */
  async configure(sets: { prepare: QuorumSet; accept: QuorumSet }): Promise<Configuration> {
    const present = await Promise.all(this.proposers.map((proposer) => configurationOf(proposer)));
    const next = { ...sets, era: Math.max(...present.map(({ era }) => era)) + 1 };
    await Promise.all(
      this.proposers.map(async ({ admin }, index) => {
        const answer = await admin.configure(present[index]?.era ?? 0, next);
        if (!answer.ok) throw new Error(answer.message);
      }),
    );
    return next;
  }

  /** As at its start, with no sets, keys or identities, and every node running: cheaper than another cluster. */
  async empty(): Promise<void> {
    for (const acceptor of this.acceptors) {
      acceptor.resume();
      if (acceptor.pid === undefined) await acceptor.start();
    }
    for (const proposer of this.proposers) {
      if (proposer.isRunning) proposer.resume();
      else await proposer.start();
    }
    await this.configure({ prepare: { nodes: [], quorum: 0 }, accept: { nodes: [], quorum: 0 } });
    for (const { port } of this.acceptors) {
      const redis = new Redis(port, '127.0.0.1');
      await redis.flushall();
      redis.disconnect();
    }
  }

  /** Types a command of the control program, which runs in this process: starting a program takes longer than most commands. */
  control(...args: string[]): Promise<ControlResult> {
    return this.controlNaming({}, ...args);
  }

  /** The same of a control node with other variables: one whose PROPOSERS leaves somebody out, say. */
  async controlNaming(env: Readonly<Record<string, string>>, ...args: string[]): Promise<ControlResult> {
    const written = { stdout: '', stderr: '' };
    // On a terminal progress begins with a carriage return: it is left out, for it comes where the machine is late.
    const into = (stream: keyof typeof written) => ({
      isTTY: true,
      columns: 200,
      write(text: string | Uint8Array): boolean {
        if (!String(text).startsWith('\r')) written[stream] += String(text);
        return true;
      },
    });
    const code = await typeCommand(args, nodesFrom({ ...this.#controlEnv, ...env }), into('stdout'), into('stderr'));
    return { code, ...written };
  }

  /**
   * Runs the control program with its output piped.
   * @param env variables besides those that name the nodes
   */
  async controlWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<ControlResult> {
    const child = spawn(process.execPath, [join(DIST, 'node-control/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      env: { ...this.#controlEnv, ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.proposers, ...this.acceptors].map((node) => node.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #controlEnv(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      ADDRESS_MAP: this.addressMap,
      PROPOSERS: this.proposers.map((_, index) => `proposer-${index + 1}`).join(','),
      ACCEPTORS: this.#acceptorAddresses.map((_, index) => acceptorName(index + 1)).join(','),
      ...this.#env,
    };
  }

  get #acceptorAddresses(): readonly string[] {
    return this.#addresses ?? this.acceptors.map(({ address }) => address);
  }

  #writeAddresses(): void {
    const acceptors = this.#acceptorAddresses.map((address, index) => [acceptorName(index + 1), address]);
    const proposers = this.proposers.flatMap(({ address, adminAddress }, index) => [
      [`proposer-${index + 1}:8080`, address],
      [`proposer-${index + 1}:8090`, adminAddress],
    ]);
    writeFileSync(this.addressMap, JSON.stringify(Object.fromEntries([...acceptors, ...proposers])));
  }
}

/** The logical name of an acceptor. */
export function acceptorName(number: number): string {
  return `acceptor-${number}:6379`;
}

/** The first `count` acceptors; the quorum is their majority where none is given. */
export function firstAcceptors(count: number, quorum = Math.floor(count / 2) + 1): QuorumSet {
  return { nodes: Array.from({ length: count }, (_, index) => acceptorName(index + 1)), quorum };
}

/** Both sets with the first `count` acceptors. */
export function majorities(count: number): { prepare: QuorumSet; accept: QuorumSet } {
  return { prepare: firstAcceptors(count), accept: firstAcceptors(count) };
}

export async function configurationOf({ name, admin }: ProposerProcess): Promise<Configuration> {
  const answer = await admin.configuration();
  if (!answer.ok) throw new Error(`${name}: ${answer.message}`);
  return answer.body;
}

/** A connection of the test's own to an acceptor. */
export function redisOf(cluster: Cluster, number: number): Redis {
  const redis = new Redis(cluster.acceptor(number).port, '127.0.0.1');
  onTestFinished(() => redis.disconnect());
  return redis;
}

function present<Node>(node: Node | undefined): Node {
  if (!node) throw new Error('there is no such node in this cluster');
  return node;
}
