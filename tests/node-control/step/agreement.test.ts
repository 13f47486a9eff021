import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { acceptorName, type Cluster, configurationOf, majorities } from '../../cluster.js';
import { sharedCluster } from '../../shared-cluster.js';

const [A, B, C] = [1, 2, 3].map(acceptorName) as [string, string, string];

/** Writes a configuration past the control node, as one that was killed, or was left behind, would have it. */
async function rewrite(cluster: Cluster, proposer: number, eras: number, identities: Configuration['identities']): Promise<void> {
  const present = await configurationOf(cluster.proposer(proposer));
  const next = { ...present, era: present.era + eras, identities: { ...present.identities, ...identities } };
  expect(await cluster.proposer(proposer).admin.configure(present.era, next)).toMatchObject({ ok: true });
}

async function expectSame(cluster: Cluster, acceptors: number): Promise<Configuration | undefined> {
  const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
  expect(one).toEqual(two);
  expect(one).toMatchObject(majorities(acceptors));
  return one;
}

describe('proposers that know an acceptor by two identities', () => {
  it('are led on where none of them lists it: they are those of two attempts at a step that was never done', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', `${A},${B}`)).code).toBe(0);
    await rewrite(cluster, 1, 2, { [C]: `${C}#of-the-second-attempt` });
    await rewrite(cluster, 2, 1, { [C]: `${C}#of-the-first-attempt` });
    for (const command of [`rescan ${A},${B} 2`, `resize ${A},${B},${C}`]) {
      expect(await cluster.control(...command.split(' '))).toMatchObject({ code: 0 });
    }
    await expectSame(cluster, 3);
    expect(await cluster.proposer(2).kv.put('a', 0, 1)).toMatchObject({ ok: true });
  });

  it.each([1, 2])(
    'get that of the latest era where they list it, wherever the one is that was left behind: proposer-%i',
    async (behind) => {
      const cluster = await sharedCluster({ configured: 0 });
      expect((await cluster.control('resize', `${A},${B}`)).code).toBe(0);
      const { identities } = await configurationOf(cluster.proposer(1));
      await rewrite(cluster, 3 - behind, 2, {});
      await rewrite(cluster, behind, 1, { [B]: `${B}#before-it-was-wiped` });
      expect((await cluster.control('rescan', `${A},${B}`, '2')).stderr).toMatch(/^error: the proposers differ/);
      const { code, stdout, stderr } = await cluster.control('resize', `${A},${B}`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^The proposers differ\\. First: copy proposer-${3 - behind} all\\n`));
      expect((await expectSame(cluster, 2))?.identities).toEqual(identities);
      expect(await cluster.proposer(behind).kv.put('a', 0, 1)).toMatchObject({ ok: true });
    },
  );
});
