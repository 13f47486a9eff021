import { Command, InvalidArgumentError, Option } from 'commander';
import { type Addresses, readAddresses, splitAddress } from '../src/node/addresses.js';

/** How a key is incremented: by a read and a compare-and-set, or by a change function, in one request. */
export type ChangeKind = 'cas' | 'add';

/** As typed; each option is checked. */
export interface ClientSettings {
  /** Logical `host:port`, all different. */
  readonly proposers: readonly string[];
  readonly keys: number;
  readonly clients: number;
  readonly seconds?: number;
  readonly seed?: number;
  /** False asks the proposers neither to queue nor to retry. */
  readonly retry: boolean;
  /** Each key goes to one proposer, as long as that answers. */
  readonly affinity: boolean;
  readonly keyPrefix: string;
  readonly change: ChangeKind;
}

const PROPOSERS_DEFAULT = ['proposer-1:8080', 'proposer-2:8080'];
/** Apart from the 1 of a check that found something. */
const USAGE_ERROR = 2;
const KEYS_MAX = 10_000;
const CLIENTS_MAX = 256;
const SECONDS_MAX = 31_536_000;
const SEED_MAX = 2 ** 32 - 1;
/** A proposer takes keys of at most 512 bytes; the number after the prefix needs its room. */
const PREFIX_BYTES_MAX = 512 - String(KEYS_MAX).length;

const EXPLANATION = `
Each line of the output, tab-separated: the n-th second since the start, then for each client what it did in that second,
  [attempts-reads-writes errors]
  attempts  reads sent (GET)
  reads     reads answered, also with "there is no such key"
  writes    compare-and-sets that a proposer confirmed (PUT)
  errors    requests without an HTTP answer: connection refused or reset, or no answer in time
What is lost from left to right is contention: another client was faster with the same key.
With --change add an increment is one request (POST), which misses no version; the columns then are
  attempts  increments begun
  reads     increments that were answered, whatever the answer
  writes    increments that a proposer confirmed
  errors    as above

Each write has a name. One whose outcome is unknown (no answer, or 504) is sent again under its name, through any proposer, until the outcome
is known: a name is applied once, however often it is sent. It counts once in each column but errors. With --no-retry nothing is sent again.

Where no write is confirmed for two seconds, a line on stderr tells what the proposers answer instead; another line tells when it is over.

The end (Ctrl-C, SIGTERM or --seconds): all keys are read, and each must have grown by exactly what was acknowledged. Where outcomes stay
unknown it may have grown by so many more. That is exact only when this client is the only writer of its keys: give it a --key-prefix of
its own where others run.
A second Ctrl-C ends at once, without that check.

Exit codes: 0 nothing lost; 1 LOST UPDATES, or another finding of the check; 2 a wrong option; 130 or 143 ended by a second signal.

Environment: ADDRESS_MAP, the path of a JSON file {"proposer-1:8080": "127.0.0.1:8081"} from the names to where they listen.

Examples:
  ./run-client.sh                                    until Ctrl-C, on the keys key-1 to key-9
  ./run-client.sh --seconds 10 --key-prefix mine-    ten seconds on keys of its own
  ./run-client.sh --no-retry                         the raw contention, as the original demo showed it
  ./run-client.sh --change add                       no contention: each increment is one request
  ./run-client.sh --affinity                         no proposer takes a key out of another one's hands
  ./run-client.sh --keys 1 --clients 10 --seed 7     ten clients fight for one key`;

/** Reads the command line; ends the program where it is wrong, or asks for help. @param argv without the program */
export function settingsFrom(argv: readonly string[]): ClientSettings {
  return new Command('run-client.sh')
    .description('Increments random keys through random proposers, and prints a funnel each second.')
    .addOption(
      new Option('--proposers <list>', 'host:port, separated by commas')
        .argParser(proposerList)
        .default(PROPOSERS_DEFAULT, PROPOSERS_DEFAULT.join(',')),
    )
    .option('--keys <count>', `how many keys, 1 to ${KEYS_MAX}`, wholeNumber(1, KEYS_MAX), 9)
    .option('--clients <count>', `how many clients at once, 1 to ${CLIENTS_MAX}`, wholeNumber(1, CLIENTS_MAX), 3)
    .option('--seconds <count>', 'stop after that many seconds (default: until Ctrl-C)', wholeNumber(1, SECONDS_MAX))
    .option(
      '--seed <number>',
      `makes the choices of proposer and key the same from run to run, 0 to ${SEED_MAX}; timing, and so the counts, still differ (default: random)`,
      wholeNumber(0, SEED_MAX),
    )
    .option('--no-retry', 'ask the proposers for the bare rounds: no queue, no retry (Prefer: wait=0)')
    .option('--affinity', 'send each key to one proposer, and to another only while that one does not answer (default: a random one)')
    .addOption(
      new Option('--change <kind>', 'how a key is incremented: cas, by a read and a compare-and-set; add, by a change function')
        .choices(['cas', 'add'])
        .default('cas'),
    )
    .option('--key-prefix <text>', 'the keys are this and a number; clients with the same prefix share their keys', keyPrefix, 'key-')
    .addHelpText('after', EXPLANATION)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR))
    .showHelpAfterError('(--help explains the options)')
    .parse(argv, { from: 'user' })
    .opts<ClientSettings>();
}

/** @param path of the address map; undefined where the names are the addresses. Throws an `Error` that says what is wrong with it. */
export function addressesAt(path: string | undefined, proposers: readonly string[]): Addresses {
  let addresses: Addresses;
  try {
    addresses = readAddresses(path);
  } catch (error) {
    throw new Error(`cannot read the address map ${path ?? ''} (ADDRESS_MAP): ${reasonOf(error)}`, { cause: error });
  }
  for (const name of proposers) {
    const address: unknown = addresses(name);
    if (typeof address === 'string' && isAddress(address)) continue;
    throw new Error(`the address map ${path ?? ''} (ADDRESS_MAP) gives ${name} the address ${JSON.stringify(address)}, not host:port`);
  }
  return addresses;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isAddress(text: string): boolean {
  if (!/^([\w.-]+|\[[\da-f:.]+\]):\d+$/i.test(text)) return false;
  try {
    splitAddress(text);
    return true;
  } catch {
    return false;
  }
}

function proposerList(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!isAddress(name)) throw new InvalidArgumentError(`"${name}" is not host:port.`);
  }
  if (new Set(names).size < names.length) throw new InvalidArgumentError('A proposer is listed twice.');
  return names;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

function keyPrefix(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > PREFIX_BYTES_MAX) throw new InvalidArgumentError(`It must have 1 to ${PREFIX_BYTES_MAX} bytes.`);
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) throw new InvalidArgumentError('It must be text without control characters.');
  return text;
}
