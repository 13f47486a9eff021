import type { Accepted, Acceptor, AcceptReply, PrepareReply, RegisterState, Value } from '../../src/protocol/acceptor.js';
import { type Ballot, formatBallot } from '../../src/protocol/ballot.js';
import type { Stored } from '../../src/store/versioned.js';

/** What a proposer asks of an acceptor, as a value: it can be lost, held back, counted and told. */
export type Message =
  | { readonly kind: 'prepare'; readonly key: string; readonly ballot: Ballot }
  | { readonly kind: 'accept'; readonly key: string; readonly ballot: Ballot; readonly value: Value; readonly next: Ballot }
  | { readonly kind: 'read'; readonly key: string };

export const MESSAGE_KINDS: readonly Message['kind'][] = ['prepare', 'accept', 'read'];

export type Reply = PrepareReply | AcceptReply | RegisterState;

/** Asks an acceptor what a message asks. */
export type Ask<Answer> = (acceptor: Acceptor) => Promise<Answer>;

/** An acceptor that gets every call as a message. */
export function acceptorBehind(send: <Answer extends Reply>(message: Message, ask: Ask<Answer>) => Promise<Answer>): Acceptor {
  return {
    prepare: (key, ballot) => send({ kind: 'prepare', key, ballot }, (acceptor) => acceptor.prepare(key, ballot)),
    accept: (key, ballot, value, next) =>
      send({ kind: 'accept', key, ballot, value, next }, (acceptor) => acceptor.accept(key, ballot, value, next)),
    read: (key) => send({ kind: 'read', key }, (acceptor) => acceptor.read(key)),
  };
}

export function deliver(message: Message, acceptor: Acceptor): Promise<Reply> {
  if (message.kind === 'prepare') return acceptor.prepare(message.key, message.ballot);
  if (message.kind === 'accept') return acceptor.accept(message.key, message.ballot, message.value, message.next);
  return acceptor.read(message.key);
}

export function messageText(message: Message): string {
  const { kind, key } = message;
  if (kind === 'read') return `read ${key}`;
  if (kind === 'prepare') return `prepare ${key} ${formatBallot(message.ballot)}`;
  return `accept ${key} ${formatBallot(message.ballot)} ${valueText(message.value)}, promise ${formatBallot(message.next)}`;
}

/** Leaves out which key it is about. */
export function replyText(reply: Reply): string {
  if ('ok' in reply && !reply.ok) return `refused: ${formatBallot(reply.conflict)} stands in the way`;
  if (!('ballot' in reply)) return 'accepted';
  const floor = 'floor' in reply && reply.floor ? `; floor of version ${reply.floor}` : '';
  return `${'ok' in reply ? 'promised; ' : ''}holds ${acceptedText(reply)}${floor}`;
}

function acceptedText({ ballot, value }: Accepted): string {
  return formatBallot(ballot) === '' ? 'nothing' : `${formatBallot(ballot)} ${valueText(value)}`;
}

/** The version, the value, and in brackets the operations that wrote it, the one before it, and so on. */
export function valueText(value: Value): string {
  if (value === null) return 'the empty register';
  const { ver, val, ops, deleted } = JSON.parse(value) as Stored;
  const names = ops.map((record) => (typeof record === 'string' ? record : record.name));
  return `version ${ver} ${deleted ? 'deleted' : JSON.stringify(val)} (${names.join(' ')})`;
}
