import { type Nodes, ControlError } from '../nodes/nodes.js';

/** The configurations, as JSON by proposer. */
export async function dump(nodes: Nodes, selection: string): Promise<string[]> {
  const selected = nodes.select(selection);
  const answers = (await nodes.tryReadAll()).filter(({ member }) => selected.includes(member));
  const missing = answers.filter(({ configuration }) => configuration === undefined).map(({ member }) => member.name);
  if (missing.length > 0) throw new ControlError(`${missing.join(' and ')} cannot be reached`);
  return [JSON.stringify(Object.fromEntries(answers.map(({ member, configuration }) => [member.name, configuration])), null, 2)];
}
