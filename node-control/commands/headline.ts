import { isConfigured } from '../../src/protocol/configuration.js';
import { nowText, type NamedConfiguration } from '../narration/now.js';
import { type Silent, type SilentNodes, wayOut } from '../narration/way-out.js';
import { type Nodes, reachedAmong } from '../nodes/nodes.js';
import { adviceText } from '../safety/objection.js';
import { nextSteps } from './next-steps.js';

/** What the sets mean, and where nothing is served, the way out. */
export async function headline(
  nodes: Nodes,
  told: readonly NamedConfiguration[],
  silent: SilentNodes,
  unused: readonly string[],
): Promise<string[]> {
  const names = (silentNodes: readonly Silent[]): string[] => silentNodes.map(({ name }) => name);
  const now = nowText(told, { acceptors: [...names(silent.acceptors), ...unused], proposers: names(silent.proposers) });
  const out = wayOut(told, silent, unused);
  if (out) return [now, [out.why, ...(out.commands.length > 0 ? [out.commands.join('; ')] : [])].join(': ')];
  if (told.some(({ configuration }) => isConfigured(configuration))) return [now];
  const next = await nextSteps(nodes);
  return next ? [now, adviceText({ advice: next.why, steps: next.steps })] : [now];
}

/** What the proposers without acceptors refuse, and the way back, where the control node would go it now. */
export async function afterWipe(nodes: Nodes): Promise<string[]> {
  const present = await nodes.tryReadAll();
  const idle = reachedAmong(present).flatMap(({ member, configuration }) => (isConfigured(configuration) ? [] : [member.name]));
  if (idle.length === 0) return [];
  const isAll = idle.length === present.length;
  const what = isAll ? 'Every operation is refused' : `${idle.join(' and ')} refuse${idle.length === 1 ? 's' : ''} every operation`;
  const now = `${what} from now on. The acceptors keep their keys`;
  const next = await nextSteps(nodes);
  return [`${next ? adviceText({ advice: `${now}. The way back`, steps: next.steps }) : now}.`];
}
