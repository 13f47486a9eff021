import { randomBytes } from 'node:crypto';
import type { Configuration } from '../../src/protocol/configuration.js';
import { NetworkError } from '../../src/http/client.js';
import { systemTime } from '../../src/store/system-time.js';
import type { Time } from '../../src/protocol/time.js';
import { ControlError } from '../safety/objection.js';
import type { AcceptorAdmin, Connections, ProposerAdmin } from './connections.js';
import type { RescanNotes } from '../rescan/notes.js';

const WRONG_TOKEN = 'ADMIN_TOKEN_FILE must name the file that the proposer was started with; start both again where it was made anew';

export interface Member {
  readonly name: string;
  readonly admin: ProposerAdmin;
}

export interface Present {
  readonly member: Member;
  readonly configuration: Configuration;
}

/** What the control node has of its own. */
export interface Surroundings {
  /** For pauses and speeds. */
  readonly time?: Time;
  /** Without a place for them, every rescan does everything. */
  readonly notes?: RescanNotes | undefined;
}

/** The nodes that the control node knows, in a fixed order. */
export class Nodes {
  readonly members: readonly Member[];
  readonly acceptors: readonly string[];
  readonly #connections: Connections;
  /** Makes the identity of an acceptor that joins: no other one, and not the same one after a wipe, ever has it. */
  readonly newIdentity: (acceptor: string) => string;
  readonly time: Time;
  readonly notes: RescanNotes | undefined;

  /**
   * @param proposers names, without a port
   * @param acceptors names with their port, as configurations hold them
   */
  constructor(
    proposers: readonly string[],
    acceptors: readonly string[],
    connections: Connections,
    newIdentity = (acceptor: string): string => `${acceptor}#${randomBytes(6).toString('hex')}`,
    { time = systemTime, notes }: Surroundings = {},
  ) {
    this.time = time;
    this.notes = notes;
    this.#connections = connections;
    this.newIdentity = newIdentity;
    this.acceptors = acceptors;
    this.members = proposers.map((name) => ({ name, admin: connections.proposer(name) }));
  }

  /** One proposer, or `all`. Throws {@link ControlError} for a name that is not known. */
  select(name: string): readonly Member[] {
    if (name === 'all') return this.members;
    const selected = this.members.filter((member) => member.name === name);
    const known = [...this.members.map((member) => member.name), 'all'].join(', ');
    if (selected.length === 0) throw new ControlError(`there is no proposer "${name}". Known: ${known}`);
    return selected;
  }

  /** Throws {@link ControlError} for a name that is not known. */
  assertAcceptor(name: string): void {
    if (!this.acceptors.includes(name)) throw new ControlError(`there is no acceptor "${name}". Known: ${this.acceptors.join(', ')}`);
  }

  /** Connects to an acceptor for the time of a task. Rejects where it cannot be reached in time. */
  async withAcceptor<Result>(name: string, task: (admin: AcceptorAdmin) => Promise<Result>): Promise<Result> {
    const admin = this.#connections.acceptor(name);
    try {
      await admin.connect();
      return await task(admin);
    } finally {
      admin.close();
    }
  }

  /** The configurations of all proposers. Throws {@link ControlError} naming every one that cannot be asked. */
  async readAll(): Promise<Present[]> {
    const answers = await this.tryReadAll();
    const missing = answers.filter(({ configuration }) => configuration === undefined).map(({ member }) => member.name);
    if (missing.length > 0) {
      throw new ControlError(
        `${missing.join(' and ')} cannot be reached. Nothing was changed. A step needs every proposer: start it and run the command again`,
      );
    }
    return answers.flatMap(({ member, configuration }) => (configuration ? [{ member, configuration }] : []));
  }

  /** As {@link readAll}, with undefined for a proposer that cannot be asked. */
  tryReadAll(): Promise<{ member: Member; configuration: Configuration | undefined }[]> {
    return Promise.all(
      this.members.map(async (member) => {
        try {
          const answer = await member.admin.configuration();
          if (!answer.ok && answer.code === 'Unauthorized')
            throw new ControlError(`${member.name} does not take the token. ${WRONG_TOKEN}`);
          return { member, configuration: answer.ok ? answer.body : undefined };
        } catch (error) {
          if (!(error instanceof NetworkError)) throw error;
          return { member, configuration: undefined };
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ admin }) => admin.close()));
  }
}
