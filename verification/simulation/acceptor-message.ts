import type { Accepted, Acceptor, AcceptReply, PrepareReply, RegisterState, Value } from '../../src/protocol/acceptor.js';
import { type Ballot, formatBallot } from '../../src/protocol/ballot.js';
import type { Versioned } from '../../src/store/compare-and-set.js';

interface Contents {
  readonly prepare: { readonly key: string; readonly ballot: Ballot };
  readonly accept: { readonly key: string; readonly ballot: Ballot; readonly value: Value; readonly next: Ballot };
  readonly read: { readonly key: string };
}

interface Replies {
  readonly prepare: PrepareReply;
  readonly accept: AcceptReply;
  readonly read: RegisterState;
}

export const MESSAGE_KINDS = ['prepare', 'accept', 'read'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** What a proposer asks of an acceptor, as a value: it can be lost, held back, counted and told. */
export type Message<Kind extends MessageKind = MessageKind> = { readonly [Each in Kind]: { readonly kind: Each } & Contents[Each] }[Kind];
export type Reply<Kind extends MessageKind = MessageKind> = Replies[Kind];

/** An acceptor that gets every call as a message. */
export function acceptorBehind(send: <Kind extends MessageKind>(message: Message<Kind>) => Promise<Reply<Kind>>): Acceptor {
  return {
    prepare: (key, ballot) => send<'prepare'>({ kind: 'prepare', key, ballot }),
    accept: (key, ballot, value, next) => send<'accept'>({ kind: 'accept', key, ballot, value, next }),
    read: (key) => send<'read'>({ kind: 'read', key }),
  };
}

const DELIVER: { readonly [Kind in MessageKind]: (acceptor: Acceptor, message: Message<Kind>) => Promise<Reply<Kind>> } = {
  prepare: (acceptor, { key, ballot }) => acceptor.prepare(key, ballot),
  accept: (acceptor, { key, ballot, value, next }) => acceptor.accept(key, ballot, value, next),
  read: (acceptor, { key }) => acceptor.read(key),
};

/** Asks the acceptor what the message asks. */
export function deliver<Kind extends MessageKind>(message: Message<Kind>, acceptor: Acceptor): Promise<Reply<Kind>> {
  return DELIVER[message.kind](acceptor, message);
}

const TEXT: { readonly [Kind in MessageKind]: (message: Message<Kind>) => string } = {
  prepare: ({ key, ballot }) => `prepare ${key} ${formatBallot(ballot)}`,
  accept: ({ key, ballot, value, next }) => `accept ${key} ${formatBallot(ballot)} ${valueText(value)}, promise ${formatBallot(next)}`,
  read: ({ key }) => `read ${key}`,
};

export function messageText<Kind extends MessageKind>(message: Message<Kind>): string {
  return TEXT[message.kind](message);
}

/** Leaves out which key it is about. */
export function replyText(reply: Reply): string {
  if ('ok' in reply && !reply.ok) return `refused: ${formatBallot(reply.conflict)} stands in the way`;
  if (!('ballot' in reply)) return 'accepted';
  return `${'ok' in reply ? 'promised; ' : ''}holds ${acceptedText(reply)}`;
}

function acceptedText({ ballot, value }: Accepted): string {
  return formatBallot(ballot) === '' ? 'nothing' : `${formatBallot(ballot)} ${valueText(value)}`;
}

/** The version, the value, and in brackets the operations that wrote it, the one before it, and so on. */
export function valueText(value: Value): string {
  if (value === null) return 'the empty register';
  const { ver, val, ops } = JSON.parse(value) as Versioned & { ops: string[] };
  return `version ${ver} ${JSON.stringify(val)} (${ops.join(' ')})`;
}
