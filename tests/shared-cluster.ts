import { afterAll, expect, onTestFailed } from 'vitest';
import { Cluster, type ClusterOptions, configurationOf, firstAcceptors, majorities } from './cluster.js';
import { send } from './raw-http.js';

/** By their options. */
const running = new Map<string, Cluster>();
afterAll(async () => {
  for (const cluster of running.values()) await cluster.stop();
});

/**
 * A cluster that the tests of a file share, since to start proposers is most of what many tests cost. It holds no keys and no identities, every node
 * runs, and each proposer has reached each acceptor; only the eras go on from test to test, and what the proposers log, count and remember on disk.
 * A test that fails leaves it to nobody.
 */
export async function sharedCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { acceptors = 3, configured = acceptors, ...others } = options;
  const key = JSON.stringify({ acceptors, ...others });
  const earlier = running.get(key);
  const cluster = earlier ?? (await Cluster.start({ acceptors, ...others, configured: 0 }));
  running.set(key, cluster);
  onTestFailed(async () => {
    running.delete(key);
    await cluster.stop();
  });
  if (earlier) await cluster.empty();
  const all = firstAcceptors(acceptors, acceptors);
  await cluster.configure({ prepare: all, accept: all });
  for (const { address } of cluster.proposers) {
    await expect.poll(async () => (await send(address, { path: '/readyz' })).status).toBe(200);
  }
  const nobody = firstAcceptors(0, 0);
  await cluster.configure(configured > 0 ? majorities(configured) : { prepare: nobody, accept: nobody });
  return cluster;
}

/** The era of a cluster whose proposers agree. */
export async function eraOf(cluster: Cluster): Promise<number> {
  return (await configurationOf(cluster.proposer(1))).era;
}
