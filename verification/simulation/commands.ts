import type { Nodes } from '../../node-control/nodes/nodes.js';
import { copy } from '../../node-control/commands/copy.js';
import { membership, type MembershipCommand } from '../../node-control/commands/membership.js';
import { rescan } from '../../node-control/commands/rescan.js';
import { resize } from '../../node-control/commands/resize.js';
import { wipeAcceptor } from '../../node-control/commands/wipe-acceptor.js';
import { wipe } from '../../node-control/commands/wipe.js';

const FORCE = ' --force';

/** Runs a command as `run-control.sh` does. @param print called for each line that tells of progress, while it runs */
export function runCommand(typed: string, nodes: Nodes, print: (line: string) => void): Promise<unknown> {
  const force = typed.endsWith(FORCE);
  const [command = '', first = '', second = '', third = ''] = typed.replace(FORCE, '').split(' ');
  const progress = { show: () => undefined };
  switch (command) {
    case 'resize':
      return resize(nodes, first.split(','), { print, progress });
    case 'rescan':
      return rescan(nodes, first.split(','), Number(second), progress);
    case 'wipe-acceptor':
      return wipeAcceptor(nodes, first, { force });
    case 'wipe':
      return wipe(nodes, first, { force });
    case 'copy':
      return copy(nodes, first, second, { force });
    default:
      return membership(nodes, command as MembershipCommand, first, second, Number(third), { force });
  }
}

/** The commands that an error tells its reader to type first, in their order. */
export function advised(error: string): string[] {
  return [...error.matchAll(/\.\/run-control\.sh ((?:(?:add|rm)-\w+|rescan|resize|copy|wipe-acceptor) [^;.]+)/g)].map(([, command]) =>
    String(command).trim(),
  );
}
