import type { Configuration } from '../../../src/protocol/configuration.js';
import type { Kind, Scenario } from '../../../verification/exhaustive/scenario.js';

/** Acceptors `a1`, `a2`, … in both sets. */
export function configurationOf(acceptors: number, quorum = Math.floor(acceptors / 2) + 1): Configuration {
  const nodes = Array.from({ length: acceptors }, (_, index) => `a${index + 1}`);
  return { era: 1, prepare: { nodes, quorum }, accept: { nodes, quorum } };
}

export function smallScenario(configuration: Configuration, losses: number, ...scripts: Kind[][]): Scenario {
  return { name: 'small', title: '', configuration, scripts, losses, resolutions: 1, steps: [], isQuick: true };
}
