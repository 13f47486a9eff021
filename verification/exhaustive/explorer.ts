import { type Memory, MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { Violation } from '../checkers/history.js';
import { AcceptorStates } from './acceptor-states.js';
import { beginning, invocationsOf } from './beginning.js';
import { type CollectorMoment, CollectorStates } from './collector-states.js';
import { whenComputed } from './computed.js';
import { COLLECTING, copyingBy } from './control-tasks.js';
import { Endings } from './ending.js';
import { KEY } from './key.js';
import { type AnyMessage, type AnyReply, Numbered } from './messages.js';
import type { Move } from './move.js';
import { movesOf } from './moves.js';
import { type ProposerMoment, ProposerStates } from './proposer-states.js';
import { acceptorNames as namesOf, adminWritesOf, alikeAcceptors, type Scenario } from './scenario.js';
import { type Site, Sites } from './sites.js';
import { ViolationFound } from './violation-found.js';
import { withoutStacks } from '../simulation/without-stacks.js';
import { collectorRequestTo, keyOf, requestTo, type ScenarioSystem, type World } from './world.js';

/** What was visited. */
export interface Visited {
  /** In the order that `moves.ts` describes, from the beginning to the end; each stands for all that differ only in what no node notices. */
  readonly executions: number;
  /** Distinct moments of them, and steps between these. */
  readonly states: number;
  readonly transitions: number;
  /** Moments at which every operation had ended. */
  readonly ends: number;
  /** Distinct states of single proposers, each computed by the product's code. */
  readonly proposerStates: number;
}

export interface Exploration {
  readonly counts: Visited;
  readonly violation?: { readonly what: Violation; readonly path: readonly Move[]; readonly first: World; readonly system: ScenarioSystem };
}

export interface ExplorerOptions {
  /** The acceptor's code; a broken one in tests. */
  readonly makeAcceptor?: (memory: Memory) => MemoryAcceptor;
  /** Called for each moment at which every operation has ended. */
  readonly onEnd?: (world: World, system: ScenarioSystem) => void;
  /** Called now and then. */
  readonly onProgress?: (counts: Visited) => void;
}

/** Visits every execution of a scenario, until the first violation. */
export async function explore(scenario: Scenario, options: ExplorerOptions = {}): Promise<Exploration> {
  const system = systemOf(scenario, options.makeAcceptor ?? ((memory) => new MemoryAcceptor(memory)));
  return withoutStacks(() => new Explorer(system, options).run());
}

/** How many states lie between two reports. */
const REPORT_EVERY = 1_000;

class Explorer {
  readonly #system: ScenarioSystem;
  readonly #options: ExplorerOptions;
  readonly #endings: Endings;
  /** How many executions go on from a state. */
  readonly #executions = new Map<string, number>();
  readonly #path: Move[] = [];
  #transitions = 0;
  #ends = 0;

  constructor(system: ScenarioSystem, options: ExplorerOptions) {
    this.#system = system;
    this.#options = options;
    this.#endings = new Endings(system);
  }

  async run(): Promise<Exploration> {
    const first = await initialWorld(this.#system);
    try {
      const executions = await this.#visit(first, keyOf(first, this.#system));
      return { counts: this.#counts(executions) };
    } catch (error) {
      if (!(error instanceof ViolationFound)) throw error;
      return { counts: this.#counts(0), violation: { what: error.violation, path: this.#path, first, system: this.#system } };
    }
  }

  /**
   * @returns how many executions go on from here
   * @throws ViolationFound `#path` leads there
   */
  async #visit(world: World, key: string): Promise<number> {
    await whenComputed(() => this.#judge(world));
    if (world.proposers.every(({ isOver }) => isOver)) {
      this.#ends += 1;
      this.#options.onEnd?.(world, this.#system);
    }
    const moves = await whenComputed(() => movesOf(world, this.#system, this.#executions));
    if (moves.broken) {
      this.#path.push(moves.broken.move);
      throw new ViolationFound(moves.broken.violation);
    }
    this.#transitions += moves.count;
    let executions = moves.count === 0 ? 1 : moves.executions;
    for (const [next, move] of moves.fresh) {
      this.#path.push(move);
      // One of the moves before this one may have led there too.
      executions += move.orders * (this.#executions.get(next) ?? (await this.#visit(move.world, next)));
      this.#path.pop();
    }
    this.#executions.set(key, executions);
    if (this.#executions.size % REPORT_EVERY === 0) this.#options.onProgress?.(this.#counts(executions));
    return executions;
  }

  #judge(world: World): void {
    const isEnd = world.proposers.every(({ isOver }) => isOver);
    const violation = oneValueForEachBallot(world, this.#system) ?? (isEnd ? this.#endings.judge(world) : undefined);
    if (violation) throw new ViolationFound(violation);
  }

  #counts(executions: number): Visited {
    return {
      executions,
      states: this.#executions.size,
      transitions: this.#transitions,
      ends: this.#ends,
      proposerStates: this.#system.proposers.reduce((sum, { size }) => sum + size, 0),
    };
  }
}

function systemOf(scenario: Scenario, makeAcceptor: (memory: Memory) => MemoryAcceptor): ScenarioSystem {
  const messages = new Numbered<AnyMessage>();
  const replies = new Numbered<AnyReply>();
  const acceptorNames = namesOf(scenario);
  const alike = alikeAcceptors(scenario).map((group) => group.map((name) => acceptorNames.indexOf(name)));
  const adminWrites = adminWritesOf(scenario);
  const proposers = scenario.scripts.map((script, index) => {
    const id = scenario.ids?.[index] ?? index + 1;
    const isChangedByTask = (scenario.collections ?? 0) > 0 || scenario.copy !== undefined;
    const changes = isChangedByTask ? Infinity : adminWrites.filter(({ proposer }) => proposer === index).length;
    const { configuration, resolutions } = scenario;
    return new ProposerStates({ id, client: index + 1, configuration, script, resolutions, changes }, messages, replies, {
      acceptorNames,
      alike,
    });
  });
  const acceptors = new AcceptorStates(makeAcceptor, messages, replies);
  const sites = new Sites(acceptors, messages, proposers.length);
  const { identities = {} } = scenario.configuration;
  const places = { proposers: proposers.length, acceptorNames, alike, identities };
  const collecting = new CollectorStates(COLLECTING, places, messages, replies);
  const collectors = Array.from({ length: scenario.collections ?? 0 }, () => collecting);
  if (scenario.copy) collectors.push(new CollectorStates(copyingBy(scenario.copy), places, messages, replies));
  return { scenario, acceptorNames, alike, messages, replies, acceptors, sites, proposers, adminWrites, collectors };
}

async function initialWorld(system: ScenarioSystem): Promise<World> {
  const { scenario, sites, proposers } = system;
  const { registers, late, first } = await beginning(system);
  const then = scenario.begun?.then && { ...scenario.configuration, ...scenario.begun.then, era: scenario.configuration.era + 2 };
  const states = await Promise.all(
    proposers.map(async (proposer, index) => {
      const state = index === 0 && first ? first : await proposer.initial();
      return then ? whenComputed(() => proposer.after(state, then)) : state;
    }),
  );
  const collecting = await collectionsIn(system, states);
  const site = (register: number, at: number): Site => {
    const requests = [...states.map((state) => requestTo(state, at)), ...collecting.map((each) => collectorRequestTo(each, at))];
    return sites.site(register, requests, late[at] ?? []);
  };
  return {
    sites: await whenComputed(() => registers.map(site)),
    proposers: states,
    invoked: states.map((_, index) => (index === 0 ? invocationsOf(first, states.length) : [])),
    lossesLeft: scenario.losses,
    adminWrites: 0,
    collectors: collecting,
  };
}

/** One that is alone has read the configurations: nobody else changes them. */
async function collectionsIn({ collectors }: ScenarioSystem, states: readonly ProposerMoment[]): Promise<CollectorMoment[]> {
  const configurations = states.map(({ configuration }) => configuration);
  const moments: CollectorMoment[] = [];
  for (const automaton of collectors) {
    let moment = await automaton.initial();
    while (collectors.length === 1 && moment.isReading) {
      const present = moment;
      moment = await whenComputed(() => automaton.told(present, configurations));
    }
    moments.push(moment);
  }
  return moments;
}

/** Over all that is accepted, and all that is still asked to be. */
function oneValueForEachBallot({ sites, proposers }: World, { acceptors, messages }: ScenarioSystem): Violation | undefined {
  const values = new Map<string, string | null>();
  let violation: Violation | undefined;
  const saw = (ballot: string, value: string | null): void => {
    const other = values.get(ballot);
    if (other !== undefined && other !== value) {
      const message = `ballot ${ballot} stands for ${String(other)} and for ${String(value)}`;
      violation = { rule: 'one value for each ballot', key: KEY, message };
    }
    values.set(ballot, value);
  };
  for (const { register, late } of sites) {
    saw(...acceptors.acceptedIn(register));
    for (const number of late) {
      const message = messages.at(number);
      if (message.kind === 'accept') saw(formatBallot(message.ballot), message.value);
    }
  }
  for (const { asking } of proposers) {
    const message = asking && messages.at(asking.message);
    if (message?.kind === 'accept') saw(formatBallot(message.ballot), message.value);
  }
  return violation;
}
