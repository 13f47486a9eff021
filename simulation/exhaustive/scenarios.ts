import type { QuorumSet } from '../../src/quorum.js';
import type { Kind, Scenario, Sets } from './scenario.js';

const THREE = ['a1', 'a2', 'a3'];

function anyOf(nodes: readonly string[], quorum: number): QuorumSet {
  return { nodes, quorum };
}

function sets(prepare: QuorumSet, accept: QuorumSet): Sets {
  return { prepare, accept };
}

const MAJORITY = sets(anyOf(THREE, 2), anyOf(THREE, 2));
const ONE = anyOf(['a1'], 1);
const TWO = anyOf(['a1', 'a2'], 2);

function scenario(name: string, title: string, scripts: readonly (readonly Kind[])[], options: Partial<Scenario & Sets> = {}): Scenario {
  const { prepare, accept } = MAJORITY;
  const configuration = { era: 1, prepare: options.prepare ?? prepare, accept: options.accept ?? accept };
  return { name, title, scripts, configuration, losses: 1, resolutions: 1, steps: [], isQuick: true, ...options };
}

export const SCENARIOS: readonly Scenario[] = [
  scenario('write-write', 'two writes', [['cas'], ['cas']]),
  scenario('write-read', 'a write and a read by quorum', [['cas'], ['get']]),
  scenario('write-settle', 'a write and a read by a round', [['cas'], ['settle']]),
  scenario('write-write-2', 'two writes, two rounds of resolution each', [['cas'], ['cas']], { resolutions: 2 }),
  scenario('write-write-lost-2', 'two writes, two losses', [['cas'], ['cas']], { losses: 2 }),
  scenario('21', 'two writes and one', [['cas', 'cas'], ['cas']]),
  scenario('22', 'two writes each', [['cas', 'cas'], ['cas', 'cas']]),
  scenario('22r', 'two each', [['cas', 'cas'], ['cas', 'get']]),
  scenario('22rr', 'two each', [['cas', 'get'], ['cas', 'get']]),
  scenario('grow12', 'grow', [['cas', 'cas'], ['cas', 'get']], {prepare: ONE, accept: ONE, steps: [sets(ONE, TWO)]}),
  scenario('grow12p', 'grow', [['cas', 'cas'], ['cas', 'get']], {prepare: ONE, accept: TWO, steps: [sets(TWO, TWO)]}),
  scenario('grow23', 'grow', [['cas', 'cas'], ['cas', 'get']], {prepare: TWO, accept: TWO, steps: [sets(TWO, MAJORITY.accept)]}),
  scenario('grow23both', 'grow', [['cas', 'cas'], ['cas', 'get']], {prepare: TWO, accept: TWO, steps: [sets(TWO, MAJORITY.accept), MAJORITY]}),
];
