import { formatBallot } from '../../src/protocol/ballot.js';
import { decode } from '../../src/store/versioned.js';
import type { AcceptorNode } from '../simulation/acceptor-node.js';
import type { ProposerNode } from '../simulation/proposer-node.js';
import type { AcceptorSight, ProposerSight } from './view.js';

export function proposerSight({ name, isUp, configuration }: ProposerNode, isCut: boolean): ProposerSight {
  const { era, prepare, accept } = configuration;
  return { name, isUp, isCut, era, prepare, accept };
}

export function acceptorSight({ name, isUp, memory }: AcceptorNode, key: string, isCut: boolean): AcceptorSight {
  const register = memory.registers.get(key);
  const { floor } = memory;
  return {
    name,
    isUp,
    isCut,
    identity: memory.identity,
    floor: floor && `era ${floor.era}, version ${floor.version}`,
    promise: register && formatBallot(register.promise),
    ballot: register && formatBallot(register.ballot),
    proposer: register?.ballot.proposer ?? 0,
    held: register?.value ? heldText(register.value) : undefined,
  };
}

function heldText(value: string): string {
  const { ver, val, deleted } = decode(value);
  return deleted ? `deleted, version ${ver}` : `${typeof val === 'string' ? val : JSON.stringify(val)}, version ${ver}`;
}
