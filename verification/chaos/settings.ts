import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { fileToWrite } from '../../node-control/terminal/file-argument.js';
import { HISTORY_FORMATS } from '../histories/history-files.js';
import type { Mode } from './cluster.js';

export interface ChaosSettings {
  readonly mode: Mode;
  readonly durationMs: number;
  readonly seed: number;
  /** Where the history is written to in any case, see `historyFiles`. */
  readonly history?: string;
}

const USAGE_ERROR = 2;
const MINUTES_MAX = 24 * 60;
const SEED_MAX = 2 ** 32 - 1;

const EXPLANATION = `
Starts a cluster of its own and, while clients read, write, change and delete four keys through both proposers, breaks and mends nodes at
random moments, moves the cluster from one acceptor to three and back, and collects what was deleted. Half of the writes have a name, under
which they are sent again through the other proposer until the outcome is known, and some although it is. Then all is mended, every key is
read through both proposers, and the history of all operations is checked. A cluster that you run is left alone; all that was started is
removed.

Faults: kill (SIGKILL, restart later; disks are kept), pause (SIGSTOP; in Docker the container), cut (nothing passes; in Docker the node is
disconnected from the network), mute (requests arrive, replies do not; local only). Local only, as root, and where there are loop devices, since
each acceptor and each proposer then has a disk of its own: power (what its disk has not got is lost; every other acceptor is in the middle
of a rewrite), and of acceptors full (no room on the disk) and error (the file system takes no more writes), which are held and mended as the
runbook says, and slow (a sync takes 1, 5 or 30 s). In most episodes one acceptor, one link of each proposer or one proposer at a time, or an acceptor and a proposer; in
about one of seven two or three acceptors, both proposers, or the power of all.

Each line of the timeline:
  a1 … p2  what the acceptors and the proposers suffered in that second, links between them (p1~a2)
  reads, writes, unknown   answered reads, acknowledged writes, writes of which nobody knows
  need     * where a proposer and a quorum of its acceptors were well for that second and the 1.5 s before it: it must show a write
           (a disk that takes 200 ms for one small write, which the program tries all the time, breaks every acceptor)
  step     what the operator does; + a fault begins, - it ends

Exit codes: 0 linearizable, nothing lost, no second without a write that needed one; 1 a violation, a silent second, or the run could not be
done; 2 a wrong option; 130 or 143 ended by a second signal. The first Ctrl-C ends the run early, with the verdict.

The same seed gives the same faults in the same order; what they hit depends on the machine.`;

/** Reads the command line; ends the program where it is wrong, or asks for help. @param argv without the program */
export function settingsFrom(argv: readonly string[]): ChaosSettings {
  const { docker, minutes, seed, history } = new Command('chaos')
    .description('Breaks a real cluster while clients use it, and checks that nothing was lost.')
    .option('--minutes <number>', `how long, up to ${MINUTES_MAX}; set-up and verdict come on top`, minutesFrom, 2)
    .option('--docker', 'against Docker Compose instead of local processes', false)
    .option('--seed <number>', `of the random choices, 0 to ${SEED_MAX} (default: random, and printed)`, seedFrom)
    .option(
      '--history <FILE>',
      'write the history for other checkers: .edn for Jepsen, Knossos and Elle, .log for Porcupine',
      historyFileFrom,
    )
    .addHelpText('after', EXPLANATION)
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR))
    .showHelpAfterError('(--help explains the options)')
    .parse(argv, { from: 'user' })
    .opts<{ docker: boolean; minutes: number; seed?: number; history?: string }>();
  return {
    mode: docker ? 'docker' : 'local',
    durationMs: Math.round(minutes * 60_000),
    seed: seed ?? randomInt(2 ** 32),
    ...(history !== undefined && { history }),
  };
}

function minutesFrom(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > MINUTES_MAX)
    throw new InvalidArgumentError(`It must be a number above 0, and at most ${MINUTES_MAX}.`);
  return value;
}

function seedFrom(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > SEED_MAX) throw new InvalidArgumentError(`It must be a whole number from 0 to ${SEED_MAX}.`);
  return Number(text);
}

function historyFileFrom(text: string): string {
  const endings = Object.keys(HISTORY_FORMATS).map((ending) => `.${ending}`);
  if (!endings.some((ending) => text.endsWith(ending))) throw new InvalidArgumentError(`Its name must end with ${endings.join(' or ')}.`);
  return fileToWrite(text);
}
