import { expect, it } from 'vitest';
import { acceptorName, Cluster, configurationOf, majorities } from '../cluster.js';
import { putForSure } from '../increments.js';
import { sharedCluster } from '../shared-cluster.js';

const [A, B, C, D] = [1, 2, 3, 4].map(acceptorName) as [string, string, string, string];

it('resize prints its plan and each step as it is done, ends with the status, and names what may be wiped: growing, replacing, shrinking', async () => {
  const cluster = await Cluster.forThisTest({ acceptors: 4, configured: 0 });
  const resize = async (...acceptors: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.control('resize', acceptors.join(','));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('error') as string });
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toEqual(two);
    for (const set of [one?.prepare, one?.accept]) {
      expect([set?.nodes.toSorted(), set?.quorum]).toEqual([acceptors, Math.floor(acceptors.length / 2) + 1]);
    }
    return stdout;
  };

  const begun = [`2 steps:`, `  1. add-accept all ${A} 1`, `  2. add-prepare all ${A} 1`, `[1/2] add-accept all ${A} 1: done (era 2)`];
  expect((await resize(A)).split('\n')).toEqual([...begun, `[2/2] add-prepare all ${A} 1: done (era 4)`, ...tableOf(6)]);
  await putForSure(cluster.proposer(1).kv, 'quiet', 'kept');

  const grown = await resize(A, B, C);
  expect(grown).toMatch(/^5 steps:\n( {2}\d\. .*\n){5}(\[\d\/5\] .*\n){5}NODE /);
  expect(grown).toMatch(/^\[2\/5\] rescan acceptor-1:6379 1: 1 key rescanned \(era \d+\)$/m);
  expect(await resize(A, B, C)).toMatch(/^Nothing to do: these are the acceptors\.\nNODE /);

  const may = (name: string): string => `${name} is not used any more and may be wiped: ./run-control.sh wipe-acceptor ${name}\n`;
  expect(await resize(A, B, D)).toContain(may(C));
  expect(await cluster.control('resize', `${A},${B},${C}`)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: `error: ${C} holds 1 key from before. Nothing was changed. Wipe it first: ./run-control.sh wipe-acceptor ${C}.\n`,
  });
  expect(await cluster.control('wipe-acceptor', C)).toMatchObject({ code: 0 });
  await resize(A, B, C);
  const shrunk = await resize(C);
  for (const name of [A, B, D]) expect(shrunk).toContain(may(name));
  expect((await cluster.proposer(2).kv.get('quiet')).body).toMatchObject({ ver: 1, val: 'kept' });
});

it.each([
  ['an acceptor that is not known', `${A},acceptor-9:6379`, 1, /there is no acceptor "acceptor-9:6379"/],
  ['the same one twice', `${A},${A}`, 2, /each once/],
  ['nobody', '', 2, /names with commas/],
])('resize to %s is refused', async (_, target, exitCode, message) => {
  const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
  const { code, stdout, stderr } = await cluster.control('resize', target);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr).toMatch(message);
  expect(await configurationOf(cluster.proposer(1))).toMatchObject(majorities(1));
});

/** Lines of the status, which tests of its own look at. */
function tableOf(nodes: number): unknown[] {
  const rows = Array.from({ length: nodes + 1 }, () => expect.stringMatching(/^(NODE|proposer-\d|acceptor-\d:6379) /) as string);
  return [...rows, expect.stringMatching(/^Prepare \d of \d, accept \d of \d: serves/) as string, ''];
}
