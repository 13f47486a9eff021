import { describe, expect, it } from 'vitest';
import { separates } from '../../../verification/chaos/fault.js';
import { type Episode, type FaultKinds, faultSchedule } from '../../../verification/chaos/fault-schedule.js';
import { randomFrom } from '../../../client/random.js';
import { ACCEPTORS, NODES, PROPOSERS } from '../../../local/layout.js';

const LOCAL: FaultKinds = {
  ofAcceptors: ['kill', 'pause', 'cut', 'mute'],
  ofProposers: ['kill', 'pause', 'cut'],
  ofLinks: ['cut', 'mute'],
};
const DISKS: FaultKinds = {
  ofAcceptors: [...LOCAL.ofAcceptors, 'power', 'full', 'error', 'slow'],
  ofProposers: [...LOCAL.ofProposers, 'power'],
  ofLinks: LOCAL.ofLinks,
};
const DOCKER: FaultKinds = { ofAcceptors: ['kill', 'pause', 'cut'], ofProposers: ['kill', 'pause', 'cut'], ofLinks: [] };

function episodes(seed: number, kinds: FaultKinds, count = 3_000): Episode[] {
  const schedule = faultSchedule(randomFrom(seed), kinds);
  return Array.from({ length: count }, () => schedule.next().value);
}

/** How many acceptors each proposer reaches while all faults of the episode last; a proposer that is broken itself is left out. */
function reach({ faults }: Episode): number[] {
  const well = PROPOSERS.filter((proposer) => faults.every(({ target }) => target !== proposer));
  return well.map((proposer) => ACCEPTORS.filter((acceptor) => !faults.some(({ target }) => separates(target, proposer, acceptor))).length);
}

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(episodes(7, LOCAL, 50)).toEqual(episodes(7, LOCAL, 50));
    expect(episodes(7, LOCAL, 50)).not.toEqual(episodes(8, LOCAL, 50));
  });

  it.each([LOCAL, DISKS, DOCKER])('leaves a proposer with two acceptors in every episode of a minority, and in no other', (kinds) => {
    for (const episode of episodes(1, kinds)) {
      const reached = reach(episode);
      if (episode.severity === 'minority') {
        expect(reached.length).toBeGreaterThan(0);
        expect(Math.min(...reached)).toBeGreaterThanOrEqual(2);
      } else expect(Math.max(0, ...reached)).toBeLessThan(2);
    }
  });

  it.each([LOCAL, DISKS, DOCKER])('breaks every node in every way that the cluster knows, most of the time a minority', (kinds) => {
    const all = episodes(2, kinds);
    const seen = new Set(all.flatMap(({ faults }) => faults.map(({ kind, target }) => `${kind} ${target}`)));
    const links = PROPOSERS.flatMap((proposer) => ACCEPTORS.map((acceptor) => `${proposer}~${acceptor}`));
    const possible = [
      ...ACCEPTORS.flatMap((target) => kinds.ofAcceptors.map((kind) => `${kind} ${target}`)),
      ...PROPOSERS.flatMap((target) => kinds.ofProposers.map((kind) => `${kind} ${target}`)),
      ...links.flatMap((target) => kinds.ofLinks.map((kind) => `${kind} ${target}`)),
    ];
    expect([...seen].sort()).toEqual(possible.sort());
    const majorities = all.filter(({ severity }) => severity === 'majority').length / all.length;
    expect(majorities).toBeGreaterThan(0.1);
    expect(majorities).toBeLessThan(0.2);
  });

  it.each([LOCAL, DISKS])('never breaks a node twice at a time', (kinds) => {
    for (const { faults } of episodes(3, kinds)) {
      const targets = faults.map(({ target }) => target);
      expect(new Set(targets).size).toBe(targets.length);
      const broken = targets.filter((target) => NODES.includes(target));
      expect(targets.filter((target) => target.includes('~') && broken.some((node) => target.includes(node)))).toEqual([]);
    }
  });

  it('lets a sync take 1, 5 and 30 s, and no other fault last so long', () => {
    const faults = episodes(5, DISKS).flatMap((episode) => episode.faults);
    const [slow, others] = [faults.filter(({ kind }) => kind === 'slow'), faults.filter(({ kind }) => kind !== 'slow')];
    expect([...new Set(slow.map(({ lastsMs }) => lastsMs))].sort((a, b) => a - b)).toEqual([1_000, 5_000, 30_000]);
    expect(Math.max(...others.map(({ lastsMs }) => lastsMs))).toBeLessThan(5_000);
  });

  it('cuts the power of all nodes at the same time now and then, where it can', () => {
    const blackouts = (kinds: FaultKinds): Episode[] =>
      episodes(4, kinds).filter(({ faults }) => faults.length === ACCEPTORS.length + PROPOSERS.length);
    expect(blackouts(DISKS).length).toBeGreaterThan(50);
    for (const { faults } of blackouts(DISKS)) for (const fault of faults) expect(fault).toMatchObject({ kind: 'power', afterMs: 0 });
    expect(blackouts(LOCAL)).toEqual([]);
  });
});
