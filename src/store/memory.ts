import { EMPTY_CONFIGURATION } from '../protocol/configuration.js';
import { MemoryAcceptor } from '../protocol/memory-acceptor.js';
import type { Acceptors, ProposerState } from './options.js';

/** Acceptors in this process's memory, one for each name that is asked for: several stores that share them are a cluster. */
export function memoryAcceptors(): Acceptors {
  const byName = new Map<string, MemoryAcceptor>();
  return {
    get(name) {
      let acceptor = byName.get(name);
      if (!acceptor) byName.set(name, (acceptor = new MemoryAcceptor()));
      return acceptor;
    },
  };
}

/**
 * A state that ends with the process.
 * @param incarnation higher at every start of the same proposer, if the acceptors outlast it
 */
export function memoryState(incarnation = 1): ProposerState {
  let configuration = EMPTY_CONFIGURATION;
  return {
    get configuration() {
      return configuration;
    },
    incarnation,
    saveConfiguration(next) {
      configuration = next;
    },
  };
}
