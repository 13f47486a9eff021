import { randomBytes } from 'node:crypto';
import type { Configuration } from '../../src/protocol/configuration.js';
import { ifNoAnswer } from '../../src/http/client.js';
import { systemTime } from '../../src/store/system-time.js';
import type { Time } from '../../src/protocol/time.js';
import { ControlError } from '../safety/objection.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import type { Connections, ProposerAdmin } from './connections.js';
import { didYouMean } from './near-miss.js';
import type { HeldNotes } from './held-notes.js';
import type { CollectionFile } from '../state/collection-notes.js';
import type { RescanNotes } from '../state/rescan-notes.js';

const WRONG_TOKEN = 'ADMIN_TOKEN_FILE must name the file that the proposer was started with; start both again where it was made anew';

export interface Member {
  readonly name: string;
  readonly admin: ProposerAdmin;
}

export interface MemberConfiguration {
  readonly member: Member;
  readonly configuration: Configuration;
}

/** As {@link Nodes.tryReadAll} gets it. */
export type MemberAnswer = Pick<MemberConfiguration, 'member'> & { readonly configuration: Configuration | undefined };

/** What those proposers have that could be asked. */
export function reachedAmong(answers: readonly MemberAnswer[]): MemberConfiguration[] {
  return answers.flatMap(({ member, configuration }) => (configuration ? [{ member, configuration }] : []));
}

/** The names of those that could not. */
export function missingAmong(answers: readonly MemberAnswer[]): string[] {
  return answers.flatMap(({ member, configuration }) => (configuration ? [] : [member.name]));
}

/** What the control node has of its own. */
export interface Surroundings {
  /** For pauses and speeds. */
  readonly time?: Time;
  /** Without a place for them, every rescan does everything. */
  readonly notes?: RescanNotes | undefined;
  /** Where the page finds what was collected. */
  readonly collections?: Pick<CollectionFile, 'add'> | undefined;
  /** Is asked before a command changes anything: the service then gives way, which may collect by itself. Returns what gives the turn back. */
  readonly takeTurn?: (() => Promise<() => void>) | undefined;
  /** Without it nobody knows of an acceptor that does not answer whether it is held. */
  readonly heldNotes?: HeldNotes | undefined;
  /** Whether anybody takes a connection where this proposer or acceptor should be. Without it one that hangs is told as one that is dead. */
  readonly isListening?: ((name: string) => Promise<boolean>) | undefined;
}

interface Session {
  readonly admin: AcceptorAdmin;
  readonly isOpen: Promise<void>;
}

/** The nodes that the control node knows, in a fixed order. */
export class Nodes {
  readonly members: readonly Member[];
  readonly acceptors: readonly string[];
  readonly #connections: Connections;
  /** To acceptors, by lane and name. */
  readonly #sessions = new Map<string, Session>();
  /** Makes the identity of an acceptor that joins: no other one, and not the same one after a wipe, ever has it. */
  readonly newIdentity: (acceptor: string) => string;
  readonly time: Time;
  readonly notes: RescanNotes | undefined;
  readonly collections: Surroundings['collections'];
  readonly takeTurn: Surroundings['takeTurn'];
  readonly heldNotes: Surroundings['heldNotes'];
  readonly isListening: NonNullable<Surroundings['isListening']>;

  /**
   * @param proposers names, without a port
   * @param acceptors names with their port, as configurations hold them
   */
  constructor(
    proposers: readonly string[],
    acceptors: readonly string[],
    connections: Connections,
    newIdentity = (acceptor: string): string => `${acceptor}#${randomBytes(6).toString('hex')}`,
    { time = systemTime, notes, collections, takeTurn, heldNotes, isListening = () => Promise.resolve(false) }: Surroundings = {},
  ) {
    this.time = time;
    this.notes = notes;
    this.collections = collections;
    this.takeTurn = takeTurn;
    this.heldNotes = heldNotes;
    this.isListening = isListening;
    this.#connections = connections;
    this.newIdentity = newIdentity;
    this.acceptors = acceptors;
    this.members = proposers.map((name) => ({ name, admin: connections.proposer(name) }));
  }

  /** One proposer, or `all`. Throws {@link ControlError} for a name that is not known. */
  select(name: string): readonly Member[] {
    if (name === 'all') return this.members;
    const selected = this.members.filter((member) => member.name === name);
    const known = [...this.members.map((member) => member.name), 'all'];
    if (selected.length === 0)
      throw new ControlError(`there is no proposer "${name}".${didYouMean(name, known)} Known: ${known.join(', ')}`);
    return selected;
  }

  /** `acceptor-1:6379` for `acceptor-1`, where there is one of that name; else what is given. */
  acceptorCalled(text: string): string {
    const [called, ...others] = this.acceptors.filter((name) => name.replace(/:\d+$/, '') === text);
    return called !== undefined && others.length === 0 ? called : text;
  }

  /** Throws {@link ControlError} for a name that is not known. */
  assertAcceptor(name: string): void {
    if (this.acceptors.includes(name)) return;
    throw new ControlError(`there is no acceptor "${name}".${didYouMean(name, this.acceptors)} Known: ${this.acceptors.join(', ')}`);
  }

  /**
   * Does a task over the connection to an acceptor that a command has, and opens it for the first one. A task that fails is the last one over
   * its connection: the next gets another, and has to look anew. So what was looked at over one connection and has to be so still, is acted on
   * by the `admin` of that task.
   *
   * Rejects if the acceptor cannot be reached in time.
   *
   * @param lane which of several connections to the same acceptor
   */
  async withAcceptor<Result>(name: string, task: (admin: AcceptorAdmin) => Promise<Result>, lane = 0): Promise<Result> {
    const place = `${lane} ${name}`;
    const session = this.#sessions.get(place) ?? this.#open(name);
    this.#sessions.set(place, session);
    try {
      await session.isOpen;
      return await task(session.admin);
    } catch (error) {
      session.admin.close();
      if (this.#sessions.get(place) === session) this.#sessions.delete(place);
      throw error;
    }
  }

  #open(name: string): Session {
    const admin = this.#connections.acceptor(name);
    return { admin, isOpen: admin.connect() };
  }

  /** At the end of a command: the next one may come much later, when a Redis Cluster has other nodes. */
  closeAcceptors(): void {
    for (const { admin } of this.#sessions.values()) admin.close();
    this.#sessions.clear();
  }

  /** The configurations of all proposers. Throws {@link ControlError} naming every one that cannot be asked. */
  async readAll(): Promise<MemberConfiguration[]> {
    const answers = await this.tryReadAll();
    const missing = missingAmong(answers);
    if (missing.length > 0) {
      throw new ControlError(
        `${missing.join(' and ')} cannot be reached. Nothing was changed. A step needs every proposer: start it, or resume it where it is paused, and run the command again`,
      );
    }
    return reachedAmong(answers);
  }

  /** As {@link readAll}, with undefined for a proposer that cannot be asked. */
  tryReadAll(): Promise<MemberAnswer[]> {
    return Promise.all(
      this.members.map(async (member) => {
        const answer = await member.admin.configuration().catch(ifNoAnswer);
        if (answer?.ok === false && answer.code === 'Unauthorized')
          throw new ControlError(`${member.name} does not take the token. ${WRONG_TOKEN}`);
        return { member, configuration: answer?.ok ? answer.body : undefined };
      }),
    );
  }

  async close(): Promise<void> {
    this.closeAcceptors();
    await Promise.all(this.members.map(({ admin }) => admin.close()));
  }
}
