import { AcceptorMonitor } from '../../verification/checkers/acceptor-monitor.js';
import { History, type RecordedOperation } from '../../verification/checkers/history.js';
import { AcceptorNode } from '../../verification/simulation/acceptor-node.js';
import type { ProposerNode } from '../../verification/simulation/proposer-node.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';
import { parseCluster } from '../../verification/transcripts/cluster-text.js';
import { ControlNode } from '../../verification/transcripts/control-node.js';
import { Log } from '../../verification/transcripts/log.js';
import { talkativeProposer } from '../../verification/transcripts/proposer-node.js';
import { configurationText } from '../../verification/transcripts/wording.js';
import { type Choice, parseChoice } from './choice.js';
import { StageClients } from './clients.js';
import { HeldNetwork } from './held-network.js';
import { judge, type HistoryVerdict } from '../../verification/checkers/judge.js';
import { acceptorSight, proposerSight } from '../../verification/pictures/sights.js';
import type { BarSight, StageView } from '../../verification/pictures/view.js';

/** As long as a proposer waits for acceptors: who waits when this has passed gives up. */
const WAIT_MS = 300;

/** The key that is drawn, unless another one was written. */
const KEY = 'k';

/**
 * The simulation's proposers and acceptors, the control node, and clients, on a network on which nothing moves by itself. All that happens is what
 * {@link apply} is told: the same choices make the same run, to the byte.
 */
export class Stage {
  readonly #time = new VirtualTime();
  readonly #log = new Log();
  readonly #monitor = new AcceptorMonitor();
  readonly #history = new History(() => this.#now);
  readonly #acceptors: ReadonlyMap<string, AcceptorNode>;
  readonly #proposers: ReadonlyMap<string, ProposerNode>;
  readonly #network = new HeldNetwork(
    (node) => this.#isReachable(node),
    () => this.#now,
  );
  readonly #control: ControlNode;
  readonly #clients = new StageClients(
    this.#history,
    () => this.#now,
    (line) => this.#log.line(line),
  );
  readonly #cut = new Set<string>();
  /** What each choice led to. */
  readonly #moves: { readonly choice: string; readonly lines: readonly string[] }[] = [];
  #beginning: readonly string[] = [];
  #key = KEY;
  /** Commands of the control node that are not over. */
  #commands = 0;
  #verdict: HistoryVerdict = { isSound: true, order: [] };
  /** What is no error of the cluster, but of the program. */
  #bug: Error | undefined;

  /**
   * @param cluster the nodes, as in docs/transcripts/: `acceptors=3 prepare=2 accept=2`
   * @throws TypeError for a text that says something else
   */
  constructor(cluster: string) {
    const { acceptors, proposers, configuration } = parseCluster(cluster);
    this.#acceptors = new Map(acceptors.map((name) => [name, new AcceptorNode(name, this.#monitor, configuration.identities?.[name])]));
    const acceptor = (name: string): AcceptorNode => found(this.#acceptors.get(name), name);
    const [time, network, log] = [this.#time, this.#network, this.#log];
    const nodes = Array.from({ length: proposers }, (_, index) =>
      talkativeProposer({ id: index + 1, configuration, acceptor, time, network, log }),
    );
    this.#proposers = new Map(nodes.map((node) => [node.name, node]));
    this.#control = new ControlNode({ proposers: this.#proposers, acceptors: this.#acceptors, network, log, time });
    log.line(`${[...this.#proposers.keys()].join(' ')}: ${configurationText(configuration)}`);
    this.#beginning = log.take();
  }

  /** The number of the move that is being made. */
  get #now(): number {
    return this.#moves.length + 1;
  }

  /** What clients asked of the key that is drawn, and were told; times are moves. */
  get operations(): readonly RecordedOperation[] {
    return this.#history.of(this.#key);
  }

  /** Whether an operation or a command waits for something. */
  get isBusy(): boolean {
    return this.#commands > 0 || this.#clients.performances.some(({ answer }) => answer === undefined);
  }

  /**
   * Makes a move, lets everything happen that follows from it by itself, and judges the history.
   * @returns what happened, in lines
   * @throws TypeError for a text that is no move, or names a node that is not there
   * @throws RangeError for a move that cannot be made now; nothing has changed
   */
  async apply(choice: string): Promise<readonly string[]> {
    const parsed = parseChoice(choice);
    if (parsed.verb !== 'wait') this.#do(parsed, choice);
    await this.#time.advance(parsed.verb === 'wait' ? WAIT_MS : 0);
    if (this.#bug) throw this.#bug;
    const lines = this.#log.take();
    // What is wrong stays wrong, and what was wrong first is what is told.
    if (this.#verdict.isSound) this.#verdict = inMoves(judge(this.#history, this.#monitor));
    this.#moves.push({ choice, lines });
    return lines;
  }

  #do(choice: Exclude<Choice, { verb: 'wait' }>, text: string): void {
    switch (choice.verb) {
      case 'deliver':
      case 'repeat':
        this.#deliver(choice.parcel, choice.verb === 'repeat');
        return;
      case 'lose': {
        const { from, to, text: said } = this.#network.take(choice.parcel, true).parcel;
        this.#log.add(`${from} -x ${to}`, said);
        return;
      }
      case 'ask': {
        const node = found(this.#proposers.get(choice.proposer), choice.proposer);
        if (!node.isUp) throw new RangeError(`${choice.proposer} is down`);
        this.#key = choice.asked.key;
        this.#clients.ask(choice.proposer, node.running.store, choice.asked);
        return;
      }
      case 'look':
        this.#key = choice.key;
        return;
      case 'control':
        if (choice.words[0] === 'collect') this.#history.noteCollection();
        this.#commands += 1;
        this.#track(this.#control.run(choice.words).finally(() => (this.#commands -= 1)));
        return;
      default:
        this.#break(choice.verb, choice.node, text);
    }
  }

  #deliver(number: number, isRepeated: boolean): void {
    const waiting = this.#network.held.find((one) => one.number === number);
    if (waiting && !this.#isPassable(waiting)) throw new RangeError(`message ${number} cannot pass: its link is cut`);
    const isHeard = waiting !== undefined && this.#isUp(waiting.to);
    const { parcel, arrive } = isRepeated ? this.#network.takeCopy(number, !isHeard) : this.#network.take(number, !isHeard);
    const { from, to, text } = parcel;
    this.#log.add(`${from} -${isHeard ? '>' : 'x'} ${to}`, isHeard ? text : `${text} (${to} is down)`);
    if (isHeard) arrive();
  }

  #break(verb: 'kill' | 'start' | 'restart' | 'cut' | 'mend' | 'lose-disk', name: string, text: string): void {
    const proposer = this.#proposers.get(name);
    const node = found(proposer ?? this.#acceptors.get(name), name);
    const refuse = (why: string): never => {
      throw new RangeError(`${text}: ${name} ${why}`);
    };
    if (verb === 'cut' || verb === 'mend') {
      if (this.#cut.has(name) === (verb === 'cut')) refuse(verb === 'cut' ? 'is cut off already' : 'is not cut off');
      if (verb === 'cut') this.#cut.add(name);
      else this.#cut.delete(name);
      this.#log.line(`${name}  is ${verb === 'cut' ? 'cut off: its messages wait' : 'reachable again'}`);
      return;
    }
    if (verb === 'lose-disk') {
      const acceptor = this.#acceptors.get(name);
      if (!acceptor) return refuse('is no acceptor');
      acceptor.loseDisk();
      this.#log.line(`${name}  starts again, with an empty disk`);
      return;
    }
    if (verb === 'restart' ? !node.isUp : node.isUp === (verb === 'start')) refuse(node.isUp ? 'is up' : 'is down');
    if (verb !== 'start') {
      // First, so that its clients are not told anything by what it does when it dies.
      if (proposer) this.#clients.abandon(name);
      node.crash();
      if (verb === 'kill') this.#log.line(`${name}  is killed`);
    }
    if (verb === 'kill') return;
    node.start();
    if (proposer) this.#log.add(name, `starts again, incarnation ${proposer.running.start.incarnation}`);
    else this.#log.line(`${name}  starts again, with what is on its disk`);
  }

  #track(task: Promise<unknown>): void {
    task.catch((error: unknown) => (this.#bug ??= error instanceof Error ? error : new Error(String(error))));
  }

  #isUp(name: string): boolean {
    return (this.#proposers.get(name) ?? this.#acceptors.get(name))?.isUp ?? true;
  }

  #isReachable(name: string): boolean {
    return this.#isUp(name) && !this.#cut.has(name);
  }

  #isPassable({ from, to }: { readonly from: string; readonly to: string }): boolean {
    return !this.#cut.has(from) && !this.#cut.has(to);
  }

  /** All that can be seen, as plain values. */
  view(): StageView {
    return {
      proposers: [...this.#proposers.values()].map((node) => proposerSight(node, this.#cut.has(node.name))),
      acceptors: [...this.#acceptors.values()].map((node) => acceptorSight(node, this.#key, this.#cut.has(node.name))),
      parcels: this.#network.held.map((parcel) => ({ ...parcel, isPassable: this.#isPassable(parcel) })),
      flights: this.#network.flights.map((flight) => ({ ...flight })),
      bars: this.#bars(),
      key: this.#key,
      beginning: this.#beginning,
      moves: [...this.#moves],
      verdict: this.#verdict,
      nextVer: this.#nextVer(),
      isBusy: this.isBusy,
    };
  }

  #bars(): BarSight[] {
    return this.#history.operations.map(({ client, invokedAt, returned, request }, number) => {
      const performance = this.#clients.performances[number];
      return {
        client,
        text: performance?.text ?? '',
        answer: performance?.answer,
        from: invokedAt,
        to: returned?.at,
        isWrite: request.kind !== 'get',
        outcome: returned?.outcome.kind,
        beganAt: performance?.beganAt ?? 0,
        endedAt: performance?.endedAt,
      };
    });
  }

  /** The latest version of the key that a client was told of; 0 where it was told that there is none. */
  #nextVer(): number {
    const told = this.#history.of(this.#key).flatMap(({ request, returned }) => {
      const outcome = returned?.outcome;
      if (outcome?.kind !== 'state' && outcome?.kind !== 'written') return [];
      const isAbsent = request.kind === 'delete' || outcome.val === null;
      return [{ ver: outcome.ver, isAbsent, at: returned?.at ?? 0 }];
    });
    const [last] = told.toSorted((a, b) => b.ver - a.ver || b.at - a.at);
    return last === undefined || last.isAbsent ? 0 : last.ver;
  }
}

/** The checkers tell events and times; here both are moves. */
function inMoves({ message, ...verdict }: HistoryVerdict): HistoryVerdict {
  return { ...verdict, ...(message !== undefined && { message: message.replaceAll(/(\d+) ms \(event \d+\)/g, 'move $1') }) };
}

/** Throws a `TypeError` for a node that is not there. */
function found<Node>(node: Node | undefined, name: string): Node {
  if (!node) throw new TypeError(`there is no node ${name}`);
  return node;
}
