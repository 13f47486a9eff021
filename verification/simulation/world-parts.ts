import type { Random } from '../../client/random.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { FaultyNetwork } from './faulty-network.js';
import type { ProposerNode } from './proposer-node.js';
import type { Trace } from './trace.js';
import type { VirtualTime } from './virtual-time.js';

/** What a world gives to those who interfere in it: to faults, to the operator, and to the adversary that keeps step with that one. */
export interface WorldParts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: FaultyNetwork;
  readonly proposers: readonly ProposerNode[];
  readonly acceptors: readonly AcceptorNode[];
  readonly trace: Trace;
}
