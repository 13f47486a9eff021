import { collect } from '../../node-control/commands/collect.js';
import { rescan } from '../../node-control/commands/rescan.js';
import type { Nodes } from '../../node-control/nodes/nodes.js';
import { underNewEra } from '../../node-control/step/eras.js';
import type { CopyPlan } from './scenario.js';

/** What the control node does beside the proposers. */
export type ControlTask = (nodes: Nodes) => Promise<unknown>;

const UNSEEN = { show: (): void => undefined };
/** A collection is told of keys after so many tombstones: it looks at one only. */
const TOMBSTONES_MAX = 1;

export const COLLECTING: ControlTask = (nodes) => collect(nodes, UNSEEN, {}, TOMBSTONES_MAX);

/** A rescan that copies, and then, if it could, the step that counts on it. */
export function copyingBy({ sources, required, then }: CopyPlan): ControlTask {
  return async (nodes) => {
    await rescan(nodes, sources, required, UNSEEN, { pausesMs: [], troublePausesMs: [] });
    if (then) await underNewEra(await nodes.readAll(), {}, ({ configuration }) => ({ ...configuration, ...then }));
  };
}
