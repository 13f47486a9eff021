import { element, table } from './element.js';
import { stateText } from './graph.js';

/** @import { Rates, Snapshot } from '../server/snapshot.js' */

const HEAD = ['proposer', 'state', 'reads', 'writes', 'conflicts', 'retries', 'unknown', 'round trips each', 'p50', 'p99'];

/** @param {Snapshot} snapshot */
export function proposersTable({ proposers }) {
  const rows = proposers.map(({ name, state, rates }) => [
    name,
    element('span', { class: state }, stateText(state, '')),
    ...[rates?.reads, rates?.writes, rates?.conflicts, rates?.retries, rates?.unknown].map((count) =>
      count === undefined ? '–' : count.toLocaleString('en'),
    ),
    isDone(rates) && rates?.roundTrips !== undefined ? rates.roundTrips.toFixed(2) : '–',
    durationText(isDone(rates) ? rates?.p50Ms : undefined),
    durationText(isDone(rates) ? rates?.p99Ms : undefined),
  ]);
  return table(['What each proposer did in the last second'], HEAD, rows);
}

/** How long refusals take is no news of operations. @param {Rates | undefined} rates */
function isDone(rates) {
  return rates !== undefined && rates.reads + rates.writes > 0;
}

/** @param {number | null | undefined} ms null: JSON has no Infinity */
function durationText(ms) {
  if (ms === undefined) return '–';
  if (ms === null) return 'over 4 s';
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
