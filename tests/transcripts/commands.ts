import { MESSAGE_KINDS } from '../../verification/simulation/acceptor-message.js';
import type { Pattern } from './network.js';
import { answerText, askedIn, askedText, perform } from '../../verification/transcripts/asked.js';
import { parseCluster } from '../../verification/transcripts/cluster-text.js';
import { World } from './world.js';

interface Command {
  readonly form: RegExp;
  /** @param words what the groups of the form matched */
  readonly run: (world: World, words: readonly string[]) => void | Promise<void>;
  /** Whether it begins together with what the line before began. All others wait until nothing is under way. */
  readonly isConcurrent?: boolean;
}

/** All commands but `cluster`, which makes the world that they work on. */
const COMMANDS: readonly Command[] = [
  {
    form: /^(p\d+) ((?:get|cas|add|delete) .+)$/,
    run: (world, [proposer = '', text = '']) => {
      const asked = askedIn(text);
      return world.begin(proposer, askedText(asked), async (store) => answerText(asked, await perform(store, asked)));
    },
    isConcurrent: true,
  },
  {
    form: /^lose (\S+) -> (\S+) (\S+)$/,
    run: (world, words) => {
      for (const pattern of patterns(world, words)) world.network.lose(pattern);
    },
    isConcurrent: true,
  },
  {
    form: /^hold (\S+) -> (\S+) (\S+)$/,
    run: (world, words) => {
      for (const pattern of patterns(world, words)) world.network.hold(pattern);
    },
    isConcurrent: true,
  },
  { form: /^release$/, run: (world) => world.network.release() },
  { form: /^wait$/, run: (world) => world.wait() },
  { form: /^restart (\S+)$/, run: (world, [proposer = '']) => world.restart(proposer) },
  { form: /^lose-disk (\S+)$/, run: (world, [acceptor = '']) => world.loseDisk(acceptor) },
  { form: /^registers (\S+)$/, run: (world, [key = '']) => world.registers(key) },
  { form: /^control (.+)$/, run: (world, [words = '']) => world.control(words.split(' ')) },
];

/** Runs the commands of one transcript. */
export class Interpreter {
  #world: World | undefined;

  /**
   * Runs the commands of one step.
   * @returns what happened, until nothing was under way any more
   * @throws for a command that is not known, or makes no sense
   */
  async step(commands: readonly string[]): Promise<string[]> {
    for (const [index, command] of commands.entries()) {
      if (index > 0 && command.startsWith('cluster ')) throw new TypeError('a cluster begins a step of its own');
      await this.#run(command);
    }
    await this.#world?.untilQuiet();
    this.#world?.network.assertMet('losses');
    return this.#world?.log.take() ?? [];
  }

  /** Throws where operations are still running, or a message that was to be held never came. */
  end(): void {
    this.#world?.assertOver();
  }

  async #run(line: string): Promise<void> {
    const cluster = /^cluster (.+)$/.exec(line);
    if (cluster) {
      this.end();
      this.#world = new World(parseCluster(String(cluster[1])));
      return;
    }
    const command = COMMANDS.find(({ form }) => form.test(line));
    if (!command) throw new TypeError(`unknown command: ${line}`);
    const world = this.#world;
    if (!world) throw new TypeError('a transcript begins with a cluster');
    if (!command.isConcurrent) await world.untilQuiet();
    await command.run(world, command.form.exec(line)?.slice(1) ?? []);
  }
}

/** One for each pair of a sender and a receiver. */
function patterns(world: World, [from = '', to = '', kind = '']: readonly string[]): Pattern[] {
  const known = ['*', ...world.proposers.keys(), ...world.acceptors.keys()];
  const names = (list: string): string[] => {
    const unknown = list.split(',').filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new TypeError(`there is no node ${unknown.join(', ')}`);
    return list.split(',');
  };
  if (!['*', ...MESSAGE_KINDS].includes(kind)) throw new TypeError(`no kind of message: ${kind}`);
  return names(from).flatMap((sender) => names(to).map((receiver) => ({ from: sender, to: receiver, kind })));
}
