import { acceptorsOf, type Configuration, EMPTY_CONFIGURATION } from '../protocol/configuration.js';
import { Gate } from '../protocol/gate.js';
import type { Proposer } from '../protocol/proposer.js';
import { BadRequest, EraMismatch, StorageError } from './errors.js';
import type { Acceptors, ProposerState, StoreEvents } from './options.js';
import { parseConfiguration } from './parse-configuration.js';

export interface ReconfigurationOptions {
  readonly proposer: Proposer;
  readonly acceptors: Acceptors;
  readonly state: ProposerState;
  readonly events: StoreEvents | undefined;
}

/** How a proposer gets another configuration (paper, section 2.3), and gives up one that is too old: connections, disk and rounds, in this order. */
export class Reconfiguration {
  readonly #options: ReconfigurationOptions;
  /** One at a time: the end of one must not close the connections that the next has opened. */
  readonly #turn = new Gate();
  #oldState: string | undefined;

  constructor(options: ReconfigurationOptions) {
    this.#options = options;
  }

  /** Why the configuration that was on disk is given up, until there is another one with acceptors, in one of its sets at least. */
  get oldState(): string | undefined {
    return this.#oldState;
  }

  /** Runs a task while no configuration changes. */
  inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.#turn.exclusive(task);
  }

  /** See `Store.reconfigure`; to be called {@link inTurn}. */
  async to(next: Configuration, expectedEra: number): Promise<Configuration> {
    const { acceptors, proposer } = this.#options;
    parseConfiguration(next);
    if (next.era <= expectedEra) throw new BadRequest('era must be higher than expectedEra');
    for (const name of acceptorsOf(next)) this.#assertName(name);
    const isGivenUp = this.#oldState !== undefined;
    await this.#giveUpOldState();
    this.#assertEra(expectedEra);
    await acceptors.connect?.(next);
    try {
      await proposer.reconfigure(next, async () => this.#save(next));
    } finally {
      acceptors.retain?.(proposer.configuration);
    }
    if (isGivenUp && acceptorsOf(next).length > 0) this.#oldState = undefined;
    return next;
  }

  /** At once nothing is done any more under a configuration whose quorums may miss those of the others; then the disk follows. */
  async noteOldState(seenEra: number): Promise<void> {
    if (this.#oldState !== undefined) return;
    const { configuration } = this.#options.proposer;
    this.#oldState =
      `the state folder of this proposer is older than its last configuration: it is of era ${configuration.era}, and an acceptor was told of ` +
      `era ${seenEra}; it was put back from a copy, or another proposer has the same number. Its sets are given up: it needs those of another`;
    this.#options.events?.onOldState?.(configuration, seenEra);
    // If that fails the next change of the configuration tries it again, and nothing is done before.
    await this.#turn.exclusive(() => this.#giveUpOldState()).catch(() => undefined);
  }

  /** As if the folder had been lost: a step that only raises the era must not bring the old sets back. */
  async #giveUpOldState(): Promise<void> {
    if (this.#oldState === undefined || acceptorsOf(this.#options.proposer.configuration).length === 0) return;
    await this.#options.proposer.reconfigure(EMPTY_CONFIGURATION, async () => this.#save(EMPTY_CONFIGURATION));
    this.#options.acceptors.retain?.(EMPTY_CONFIGURATION);
  }

  #assertEra(expectedEra: number): void {
    const { configuration } = this.#options.proposer;
    if (configuration.era === expectedEra) return;
    throw new EraMismatch(`the configuration is of era ${configuration.era}, not ${expectedEra}: somebody else changed it`, {
      ...configuration,
    });
  }

  #assertName(name: string): void {
    try {
      this.#options.acceptors.assertName?.(name);
    } catch (error) {
      throw new BadRequest(`not the name of an acceptor${error instanceof Error ? `: ${error.message}` : ''}`, {}, error);
    }
  }

  #save(next: Configuration): void {
    try {
      this.#options.state.saveConfiguration(next);
    } catch (error) {
      throw new StorageError(`the configuration could not be saved: ${error instanceof Error ? error.message : String(error)}`, {}, error);
    }
  }
}
