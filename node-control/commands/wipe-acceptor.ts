import { acceptorsOf } from '../../src/configuration.js';
import { type Cluster, ControlError } from '../cluster.js';

/**
 * Removes all data of an acceptor, so that it can join again as an empty one. Data of an acceptor that is still asked, or that joins
 * with old data, is a promise broken: refused while any proposer lists it, or cannot be asked.
 */
export async function wipeAcceptor(cluster: Cluster, acceptor: string, { force }: { force: boolean }): Promise<string[]> {
  cluster.assertAcceptor(acceptor);
  const warnings = await reasonsAgainst(cluster, acceptor);
  if (warnings.length > 0 && !force) {
    throw new ControlError(
      `${warnings.join('; ')}. Nothing was removed. First rm-accept and rm-prepare it on every proposer (--force wipes all the same)`,
    );
  }
  let count: number;
  try {
    count = await cluster.withAcceptor(acceptor, (admin) => admin.wipe());
  } catch (error) {
    throw new ControlError(
      `${acceptor} could not be wiped: ${error instanceof Error ? error.message : String(error)}. Start it and run the command again`,
    );
  }
  return [...warnings.map((warning) => `forced although ${warning}`), `${acceptor}: ${count} key${count === 1 ? '' : 's'} removed`];
}

async function reasonsAgainst(cluster: Cluster, acceptor: string): Promise<string[]> {
  return (await cluster.tryReadAll()).flatMap(({ member, configuration }) => {
    if (!configuration) return [`${member.name} cannot be reached`];
    return acceptorsOf(configuration).includes(acceptor) ? [`${member.name} still lists ${acceptor}`] : [];
  });
}
