import { expect, it, onTestFinished } from 'vitest';
import { Cluster } from '../cluster.js';
import { DelayedLink } from '../delayed-link.js';
import { RedisServer } from '../redis-server.js';

/** What the sync of a slow disk takes, and more than an acceptor is waited for by default. */
const SYNC_MS = 350;

async function clusterBehindSlowDisks(env: Readonly<Record<string, string>>): Promise<Cluster> {
  const links = await Promise.all(
    [1, 2, 3].map(async () => {
      const server = await RedisServer.start();
      onTestFinished(() => server.stop());
      const link = await DelayedLink.to(server.port);
      onTestFinished(() => link.close());
      return link;
    }),
  );
  const cluster = await Cluster.forThisTest({ proposers: 1, addresses: links.map(({ address }) => address), env });
  for (const link of links) link.delayMs = SYNC_MS;
  return cluster;
}

it('acceptors that take longer than they are given are named as slow', async () => {
  const cluster = await clusterBehindSlowDisks({});
  const proposer = cluster.proposer(1);
  const answer = await proposer.kv.put('k', 0, 1);
  expect(answer).toMatchObject({ status: 503, message: expect.stringContaining('slow or stopped, no answer in 300 ms') as string });

  const advice = 'slow or stopped, no answer in 300 ms (if its disk is slow, or the way long, ACCEPTOR_TIMEOUT_MS gives it more time)';
  await expect.poll(() => proposer.logged('does not do what it is told')).not.toEqual([]);
  expect(proposer.logged('does not do what it is told')[0]).toMatchObject({ msg: `acceptor does not do what it is told: ${advice}` });
  expect((await cluster.control('status')).stdout).toContain(`: ${advice}.\n`);
  const metrics = await proposer.admin.metrics();
  const failures = metrics.ok ? metrics.body.find(({ name }) => name === 'caspaxos_acceptor_failures_total')?.values : [];
  expect(failures?.filter(({ value }) => value > 0).map(({ labels }) => labels['reason'])).toContain('timeout');
});

it('acceptors that are given as long as they take do what they are told', async () => {
  const cluster = await clusterBehindSlowDisks({ ACCEPTOR_TIMEOUT_MS: '1000' });
  const { kv } = cluster.proposer(1);
  for (let ver = 0; ver < 3; ver += 1) expect(await kv.put('k', ver, ver)).toMatchObject({ ok: true, body: { ver: ver + 1 } });
  expect(await kv.get('k')).toMatchObject({ body: { ver: 3 } });
});

it('a proposer that is given too long does not start, and says what to set', async () => {
  await expect(Cluster.start({ acceptors: 1, proposers: 1, env: { ACCEPTOR_TIMEOUT_MS: '60000' } })).rejects.toThrow(
    'ACCEPTOR_TIMEOUT_MS must be an integer from 50 to 2000',
  );
});
