import type { Logger } from 'pino';
import { type Addresses, parseAddress } from '../node/addresses.js';
import { acceptorsOf, type Configuration } from '../protocol/configuration.js';
import { BadRequest, EraMismatch, StorageError } from '../protocol/errors.js';
import { Gate } from '../protocol/gate.js';
import type { Proposer } from '../protocol/proposer.js';
import type { AcceptorPool } from '../redis/acceptor-pool.js';
import type { StateFolder } from '../node/state-folder.js';

/** Which proposer this is; two with the same number would share ballots. */
export interface Identity {
  readonly proposer: number;
  readonly incarnation: number;
}

export interface ReconfigurableProposerOptions {
  readonly identity: Identity;
  readonly proposer: Proposer;
  readonly acceptors: Pick<AcceptorPool, 'connect' | 'retain'>;
  readonly addresses: Addresses;
  readonly state: Pick<StateFolder, 'saveConfiguration'>;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** Changes the configuration of a running proposer: connections first, then disk, then the rounds. */
export class ReconfigurableProposer {
  readonly #options: ReconfigurableProposerOptions;
  /** One change at a time: the end of one must not close the connections that the next has opened. */
  readonly #turn = new Gate();

  constructor(options: ReconfigurableProposerOptions) {
    this.#options = options;
  }

  get configuration(): Configuration {
    return this.#options.proposer.configuration;
  }

  get identity(): Identity {
    return this.#options.identity;
  }

  /**
   * Returns once the new configuration is on disk and in force.
   * @throws EraMismatch where the present era is not the expected one; then nothing changed
   * @throws BadRequest for an era that is not higher, or a name that is no address
   * @throws StorageError where it could not be written; the present one stays
   */
  reconfigure(expectedEra: number, next: Configuration): Promise<Configuration> {
    const { proposer, acceptors, state, log } = this.#options;
    return this.#turn.exclusive(async () => {
      if (next.era <= expectedEra) throw new BadRequest('era must be higher than expectedEra');
      for (const name of acceptorsOf(next)) this.#assertAddress(name);
      this.#assertEra(expectedEra);
      await acceptors.connect(next);
      try {
        await proposer.reconfigure(next, async () => this.#save(state, next));
        log.info(next, 'configuration changed');
      } finally {
        acceptors.retain(proposer.configuration);
      }
      return next;
    });
  }

  #assertEra(expectedEra: number): void {
    const { configuration } = this;
    if (configuration.era === expectedEra) return;
    throw new EraMismatch(`the configuration is of era ${configuration.era}, not ${expectedEra}: somebody else changed it`, {
      ...configuration,
    });
  }

  #save(state: Pick<StateFolder, 'saveConfiguration'>, next: Configuration): void {
    try {
      state.saveConfiguration(next);
    } catch (error) {
      this.#options.log.error({ err: error }, 'the configuration could not be saved; the present one stays');
      throw new StorageError(`the configuration could not be saved: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #assertAddress(name: string): void {
    try {
      parseAddress(this.#options.addresses(name));
    } catch (error) {
      const why = error instanceof Error ? `: ${error.message}` : '';
      throw new BadRequest(`not the name of an acceptor${why}`);
    }
  }
}
