import type { Spread } from '../statistics.js';

export interface Bar {
  /** Names the colour, too. */
  readonly series: string;
  readonly spread: Spread;
  /** As people read the median. */
  readonly text: string;
}

export interface Plot {
  readonly title: string;
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
}

const WIDTH = 720;
const BAR_HEIGHT = 16;
const GROUP_GAP = 12;
const TOP = 56;
const LEFT = 110;
/** For the number behind the longest bar. */
const RIGHT = 80;

/** Told apart also by those who see colours differently, on white and on black. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#8c8c8c'];

const STYLE = `text { font: 12px sans-serif; fill: #24292f } .title { font-size: 14px; font-weight: bold } .spread { stroke: #24292f; stroke-width: 1.2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .spread { stroke: #e6edf3 } }`;

/** Horizontal bars as long as the median, with a line from the least to the most, as an SVG file. */
export function svg({ title, groups }: Plot): string {
  const series = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))];
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ spread }) => spread.most)));
  const x = (value: number): number => LEFT + (value / most) * (WIDTH - LEFT - RIGHT);
  const parts: string[] = [`<text class="title" x="0" y="16">${escaped(title)}</text>`];
  series.forEach((name, at) => {
    parts.push(box(LEFT + at * 140, 28, 12, 12, colour(at)), text(LEFT + at * 140 + 18, 38, name));
  });
  let y = TOP;
  for (const { name, bars } of groups) {
    parts.push(text(0, y + (bars.length * BAR_HEIGHT) / 2 + 4, name));
    for (const { series: of, spread, text: figure } of bars) {
      const middle = y + BAR_HEIGHT / 2;
      parts.push(
        box(LEFT, y + 1, x(spread.median) - LEFT, BAR_HEIGHT - 2, colour(series.indexOf(of))),
        `<line class="spread" x1="${round(x(spread.least))}" x2="${round(x(spread.most))}" y1="${middle}" y2="${middle}"/>`,
        text(Math.max(x(spread.median), x(spread.most)) + 6, middle + 4, figure),
      );
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP;
  }
  const size = `width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">\n<title>${escaped(title)}</title>\n<style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`;
}

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] ?? '';
}

function box(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${height}" fill="${fill}"/>`;
}

function text(x: number, y: number, content: string): string {
  return `<text x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
