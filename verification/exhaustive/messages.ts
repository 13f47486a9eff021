import type { Value } from '../../src/protocol/acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { Stored } from '../../src/store/versioned.js';
import type { Message, Reply } from '../simulation/acceptor-message.js';
import type { CollectorMessage, CollectorReply } from './collector-messages.js';

/** Of a proposer or of a collection. */
export type AnyMessage = Message | CollectorMessage;
export type AnyReply = Reply | CollectorReply;

/** Gives equal things the same number, so that a state of the world is a few short numbers. */
export class Numbered<Thing> {
  readonly #things: Thing[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(thing: Thing): number {
    const text = JSON.stringify(thing);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#things.push(thing) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  at(number: number): Thing {
    return this.#things[number] as Thing;
  }
}

export function describeMessage(message: Message): string {
  if (message.kind === 'read') return 'read';
  if (message.kind === 'prepare') return `prepare ${formatBallot(message.ballot)}`;
  return `accept ${formatBallot(message.ballot)} ${describeValue(message.value)}, then ${formatBallot(message.next)}`;
}

export function describeReply(reply: Reply): string {
  if ('ok' in reply && !reply.ok) return `conflict with ${formatBallot(reply.conflict)}`;
  if (!('ballot' in reply)) return 'accepted';
  const held = formatBallot(reply.ballot) === '' ? 'nothing accepted' : `has ${formatBallot(reply.ballot)} ${describeValue(reply.value)}`;
  const floor = 'floor' in reply && reply.floor ? `, floor of version ${reply.floor}` : '';
  return 'ok' in reply ? `promised, ${held}${floor}` : held;
}

/** The operation ids that are stored with a value would only be noise to a reader. */
function describeValue(value: Value): string {
  if (value === null) return 'nothing';
  const { ver, val, deleted } = JSON.parse(value) as Stored;
  return `${deleted ? 'deleted' : String(val)} (version ${ver})`;
}
