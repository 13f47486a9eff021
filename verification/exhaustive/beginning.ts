import { whenComputed } from './computed.js';
import type { ProposerMoment, ProposerStates } from './proposer-states.js';
import type { ScenarioSystem } from './world.js';

/** What there is when the search begins. */
interface Beginning {
  /** By acceptor. */
  readonly registers: readonly number[];
  /** By acceptor: accepts that may still arrive. */
  readonly late: readonly (readonly number[])[];
  /** The first proposer after what has begun. */
  readonly first: ProposerMoment | undefined;
}

/**
 * Runs the first operations of the first client, one message after the other, each to one acceptor after the other. A phase is decided by as many of
 * the first acceptors as it needs; the others get its message all the same.
 */
export async function beginning(system: ScenarioSystem): Promise<Beginning> {
  const { scenario, acceptorNames, acceptors, messages } = system;
  const registers = acceptorNames.map(() => acceptors.empty);
  const late: number[][] = acceptorNames.map(() => []);
  const [proposer] = system.proposers;
  const { begun } = scenario;
  if (!begun || !proposer) return { registers, late, first: undefined };
  let state = await proposer.initial();
  for (let operation = 1; operation <= begun.operations; operation += 1) {
    const waiting = state;
    for (state = await whenComputed(() => proposer.after(waiting, 'start')); state.asking;) {
      const { message, acceptors: asked } = state.asking;
      const replies: (readonly [acceptor: number, reply: number])[] = [];
      for (const at of asked) {
        const isAccept = messages.at(message).kind === 'accept';
        const laggard = begun.late.find((each) => isAccept && each.operation === operation && each.acceptor === acceptorNames[at]);
        if (laggard) late[at]?.push(message);
        if (laggard && !laggard.isAgain) continue;
        const delivered = await whenComputed(() => acceptors.deliver(registers[at] ?? 0, message));
        registers[at] = delivered.register;
        replies.push([at, delivered.reply]);
      }
      state = await decided(proposer, state, replies);
    }
  }
  return { registers, late, first: state };
}

async function decided(
  proposer: ProposerStates,
  before: ProposerMoment,
  replies: readonly (readonly [acceptor: number, reply: number])[],
): Promise<ProposerMoment> {
  for (let count = 1; count <= replies.length; count += 1) {
    const [next] = (await whenComputed(() => proposer.hear(before, replies.slice(0, count)))).decided;
    if (next) return next;
  }
  throw new Error('an operation that is to be over when the search begins is not');
}

/** @param clients how many there are */
export function invocationsOf(first: ProposerMoment | undefined, clients: number): (readonly number[])[] {
  return (first?.performed ?? []).map((_, index) => Array.from({ length: clients }, (_unused, client) => (client === 0 ? index : 0)));
}
