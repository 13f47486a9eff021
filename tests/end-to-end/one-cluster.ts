import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { freePort } from '../redis-server.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface ClusterEnvironment extends Record<string, string> {
  readonly CLUSTER: 'docker' | 'local';
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly cluster: ClusterEnvironment;
  }
}

/** One cluster for all files: to start and to remove one is most of what they cost in Docker. */
export default async function oneCluster(project: TestProject): Promise<() => Promise<void>> {
  const mode = process.env['CLUSTER'] === 'docker' ? 'docker' : 'local';
  const variables = ['PROPOSER_1_PORT', 'PROPOSER_2_PORT', 'PROPOSER_1_ADMIN_PORT', 'PROPOSER_2_ADMIN_PORT'];
  variables.push('ACCEPTOR_1_PORT', 'ACCEPTOR_2_PORT', 'ACCEPTOR_3_PORT', 'CONTROL_PORT', 'CLIENT_PORT');
  const cluster: ClusterEnvironment = {
    CLUSTER: mode,
    COMPOSE_PROJECT_NAME: `caspaxos-end-to-end-${mode}`,
    CLUSTER_DIR: `${root}.cluster-end-to-end-${mode}`,
  };
  for (const variable of variables) cluster[variable] = String(await freePort(mode));
  const clear = async (): Promise<void> => {
    await promisify(execFile)('./clear.sh', { cwd: root, env: { ...process.env, ...cluster } });
  };
  await clear();
  project.provide('cluster', cluster);
  return clear;
}
