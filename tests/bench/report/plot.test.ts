import { expect, it } from 'vitest';
import { svg } from '../../../bench/report/plot.js';

const PLOT = {
  title: 'Reads & <writes>',
  groups: [
    {
      name: '1 loop',
      bars: [
        { series: 'this cluster', spread: { median: 50, least: 40, most: 60 }, text: '50' },
        { series: 'etcd', spread: { median: 100, least: 90, most: 106 }, text: '100' },
      ],
    },
    { name: '8 loops', bars: [{ series: 'etcd', spread: { median: 25, least: 25, most: 25 }, text: '25' }] },
  ],
};

it('draws bars as long as the median, from one scale, with a line from the least to the most', () => {
  const drawn = svg(PLOT);
  // The longest line ends where the room for its number begins: (720 - 110 - 80) for 106.
  expect(drawn).toContain('<rect x="110" y="57" width="250" height="14" fill="#0072b2"/>');
  expect(drawn).toContain('<line class="spread" x1="310" x2="410" y1="64" y2="64"/>');
  expect(drawn).toContain('<rect x="110" y="73" width="500" height="14" fill="#e69f00"/>');
  expect(drawn).toContain('<rect x="110" y="101" width="125" height="14" fill="#e69f00"/>');
});

it('is XML whatever the words, and has a text colour for a dark page', () => {
  const drawn = svg(PLOT);
  expect(drawn).toContain('<title>Reads &amp; &lt;writes></title>');
  expect(drawn).toContain('prefers-color-scheme: dark');
});
