import type { Nodes } from '../nodes/nodes.js';
import type { Step } from '../safety/typed-step.js';
import type { Manner } from '../step/step.js';
import { type Terminal, UNSEEN } from '../terminal/terminal.js';
import { collect } from './collect.js';
import { copy } from './copy.js';
import { membership } from './membership.js';
import { rescan } from './rescan.js';
import { resize } from './resize.js';
import { wipeAcceptor } from './wipe-acceptor.js';
import { wipe } from './wipe.js';

/**
 * Does what a step says. A resize carries out further steps by this same function.
 * @returns what is to be printed when it is done
 * @throws ControlError if it is refused, could not be done, or not be finished
 */
export async function carryOut(step: Step, nodes: Nodes, terminal = UNSEEN, manner: Manner = {}): Promise<string[]> {
  const giveTurnBack = manner.dryRun ? undefined : await nodes.takeTurn?.();
  try {
    return await dispatch(step, nodes, terminal, manner);
  } finally {
    nodes.closeAcceptors();
    giveTurnBack?.();
  }
}

function dispatch(step: Step, nodes: Nodes, terminal: Terminal, manner: Manner): Promise<string[]> {
  switch (step.verb) {
    case 'add':
    case 'rm':
      return membership(nodes, step, manner);
    case 'rescan':
      return rescan(nodes, step.acceptors, step.required, terminal.progress, { byRounds: manner.byRounds ?? false });
    case 'resize':
      return resize(nodes, step.acceptors, carryOut, terminal, manner);
    case 'copy':
      return copy(nodes, step.from, step.proposers, manner);
    case 'wipe':
      return wipe(nodes, step.proposers, manner);
    case 'wipe-acceptor':
      return wipeAcceptor(nodes, step.acceptor, manner);
    case 'collect':
      return collect(nodes, terminal.progress, manner);
  }
}
