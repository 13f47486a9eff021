import { expect, it } from 'vitest';
import { withFigures } from '../../../bench/report/document.js';
import { increments, NOTHING } from '../figures.js';

it('replaces what is between the marks, and leaves the words around it, and what was not measured', () => {
  const before = 'Words.\n<!-- figures: keys -->\nold\n<!-- end -->\nMore.\n<!-- figures: machine -->\n<!-- end -->\n';
  const after = withFigures(before, NOTHING);
  expect(after).toBe(
    'Words.\n<!-- figures: keys -->\nold\n<!-- end -->\nMore.\n<!-- figures: machine -->\n\n' +
      '2 cores (a processor), 8 GiB of memory, Linux 6. A write of 4 KiB is on the disk after\n0.5 ms (p50) to 4 ms (p99). ' +
      'Node v24.0.0, Express 5.0.0, Redis 8.0.0, etcd 3.5.0, ZooKeeper 3.8.0.\nEach figure is the median of 3 rounds of 1 s, with the least and the most. The load average before was 1.5.\n\n<!-- end -->\n',
  );
  expect(withFigures(after, NOTHING)).toBe(after);
});

it('writes tables in Markdown', () => {
  const keys = { few: 1_000, many: 2_000, fewMib: 90, manyMib: 91, onFew: [increments(70)], onMany: [increments(60)] };
  expect(withFigures('<!-- figures: keys --><!-- end -->', { ...NOTHING, keys })).toContain(
    '| one proposer | MiB that it holds | increments per second |\n| --- | --- | --- |\n| 1,000 keys | 90 | 70 |\n| 2,000 keys | 91 | 60 |',
  );
});

it('refuses a mark that nobody knows', () => {
  expect(() => withFigures('<!-- figures: wishes --><!-- end -->', NOTHING)).toThrow('wishes');
});
