import { mkdirSync } from 'node:fs';
import { systemTime } from '../../../src/store/system-time.js';
import { Collector } from '../../collection/collector.js';
import { readInterval } from '../../collection/interval.js';
import { CollectionFile } from '../../state/collection-notes.js';
import { Turns } from '../../state/turn.js';
import { carryOut } from '../../commands/carry-out.js';
import { UNSEEN } from '../../terminal/terminal.js';
import { Nodes } from '../../nodes/nodes.js';
import type { NodeSettings } from '../../nodes/settings.js';

/**
 * Collects by itself as often as `COLLECT_EVERY` says, if it is given.
 *
 * @param environment `STATE_DIR` is the folder that the commands of this control node have, too
 * @param say prints a line
 * @returns ends it, and the collection that is under way
 * @throws an `Error` that names the variable that is wrong
 */
export async function startCollecting(
  { proposers, acceptors, connections }: NodeSettings,
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  const everyMs = readInterval(environment['COLLECT_EVERY']);
  if (everyMs === undefined) return () => Promise.resolve();
  const folder = environment['STATE_DIR'];
  if (!folder) throw new Error('COLLECT_EVERY needs STATE_DIR, the folder in which commands take turns with the service');

  const nodes = new Nodes(proposers, acceptors, connections, undefined, { collections: new CollectionFile(folder) });
  const turns = new Turns(() => collector.giveWay());
  const collector: Collector = new Collector({
    collect: (progress) => carryOut({ verb: 'collect' }, nodes, { ...UNSEEN, progress }),
    everyMs,
    time: systemTime,
    isTurnTaken: () => turns.isTaken,
    say,
  });
  mkdirSync(folder, { recursive: true });
  await turns.listen(folder);
  void collector.run();
  say(`deleted keys are collected every ${String(environment['COLLECT_EVERY'])}`);
  return () => collector.stop();
}
