import { acceptorAcross, type AcceptorNode } from '../simulation/acceptor-node.js';
import type { Network } from '../simulation/network.js';
import { ProposerNode } from '../simulation/proposer-node.js';
import type { VirtualTime } from '../simulation/virtual-time.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { Time } from '../../src/protocol/time.js';
import { DEFAULT_LIMITS } from '../../src/store/limits.js';
import type { Log } from './log.js';

/** As the product's, but each attempt is told as it is: none is repeated, none looks first, and a read asks all acceptors at once. */
const LIMITS = { ...DEFAULT_LIMITS, patienceMs: 0, contendedKeysMax: 0, acceptorLateMs: undefined };

export interface TalkativeProposerOptions {
  /** Its name is `p` and this number. */
  readonly id: number;
  readonly configuration: Configuration;
  readonly acceptor: (name: string) => AcceptorNode;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly log: Log;
}

/** A proposer that says when it waits in vain, and when it finds out that its configuration is stale. */
export function talkativeProposer({ id, configuration, acceptor, time, network, log }: TalkativeProposerOptions): ProposerNode {
  const name = `p${id}`;
  let operations = 0;
  return new ProposerNode({
    name,
    id,
    configuration,
    time,
    acceptor: (caller, to, identity) => acceptorAcross(network, caller, name, acceptor(to), identity),
    options: (process) => ({
      limits: LIMITS,
      events: { onStale: (seenEra) => log.add(name, `sees era ${seenEra}: its own configuration is stale`) },
      time: talkative(process.time, (delayMs) => {
        if (delayMs === LIMITS.acceptorTimeoutMs) log.add(name, `has waited for ${delayMs} ms`);
      }),
      random: () => 0,
      nextOperationId: () => `${name}-${(operations += 1)}`,
    }),
  });
}

/** Says of each timer that fires how long it was. */
function talkative(time: Time, say: (delayMs: number) => void): Time {
  return {
    nowMs: () => time.nowMs(),
    after: (delayMs, fire) =>
      time.after(delayMs, () => {
        say(delayMs);
        fire();
      }),
  };
}
