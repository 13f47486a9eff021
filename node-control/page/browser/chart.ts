import type UPlot from 'uplot';
import type { FunnelSecond, Mark } from '../server/snapshot.js';
import { element, find, replace, table, timeText } from './element.js';

/** Of the script before this one: a third of the size of the module. */
const { uPlot } = globalThis as unknown as { uPlot: typeof UPlot };

const SHOWN_SECONDS = 120;
const HEIGHT = 260;
const FLAG = { width: 18, height: 15 };
const HEAD = ['at', 'attempts', 'reads', 'writes', 'errors', 'what happened'];

/** The clients' funnel of the last two minutes, with a numbered mark for all that happened. */
export class Chart {
  readonly #place: HTMLElement;
  #seconds: FunnelSecond[] = [];
  #marks: readonly Mark[] = [];
  #plot: UPlot | undefined;
  #drawnAtMs = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    const details = find('#seconds');
    // As it was when it was opened: whoever reads it cell by cell does not lose the place.
    details.addEventListener('toggle', () => {
      if (details.hasAttribute('open')) replace(find('#seconds .scroll'), this.#table());
    });
    // Its colours are those of the page when it was drawn.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#draw(Date.now());
    });
  }

  /** Begins anew, as after a new connection. */
  clear(): void {
    this.#seconds = [];
  }

  add(atMs: number, seconds: readonly FunnelSecond[], marks: readonly Mark[]): void {
    this.#seconds = [...this.#seconds, ...seconds].filter((second) => second.atMs > atMs - SHOWN_SECONDS * 1_000 && second.atMs <= atMs);
    this.#marks = marks;
    const last = this.#seconds.at(-1);
    const isFresh = last !== undefined && last.atMs > atMs - 2_000;
    this.#place.setAttribute(
      'aria-label',
      isFresh
        ? `In the last second the clients began ${last.attempts} reads, got ${last.reads} answers, wrote ${last.writes} times, and met ${last.errors} network errors.`
        : 'No client ran in the last second.',
    );
    this.#draw(atMs);
  }

  /** What the chart shows, the latest first. */
  #table(): HTMLElement {
    const from = this.#drawnAtMs - SHOWN_SECONDS * 1_000;
    const seconds = this.#seconds.map(({ atMs, attempts, reads, writes, errors }) => ({
      atMs,
      cells: [...[attempts, reads, writes, errors].map((count) => count.toLocaleString('en')), ''],
    }));
    const marks = this.#marks.map(({ id, atMs, text }) => ({ atMs, cells: ['–', '–', '–', '–', `${id}. ${text}`] }));
    const rows = [...seconds, ...marks.filter(({ atMs }) => atMs > from)].sort((a, b) => b.atMs - a.atMs);
    const caption = `The clients in the two minutes before ${timeText(this.#drawnAtMs)}. Open it again for later ones.`;
    if (rows.length === 0) return element('p', {}, 'No client ran in the last two minutes.');
    return table(
      [caption],
      HEAD,
      rows.map(({ atMs, cells }) => [timeText(atMs), ...cells]),
      false,
    );
  }

  #draw(atMs: number): void {
    this.#drawnAtMs = atMs;
    const at = this.#seconds.map((second) => second.atMs / 1_000);
    const column = (field: 'attempts' | 'reads' | 'writes' | 'errors'): number[] => this.#seconds.map((second) => second[field]);
    const data = withGaps([at, column('attempts'), column('reads'), column('writes'), column('errors')]) as UPlot.AlignedData;
    this.#plot ??= new uPlot(this.#options(), data, this.#place);
    this.#plot.setData(data, false);
    const now = atMs / 1_000;
    this.#plot.batch(() => {
      this.#plot?.setScale('x', { min: now - SHOWN_SECONDS, max: now });
      this.#plot?.setScale('y', { min: 0, max: Math.max(10, ...column('attempts')) * 1.15 });
    });
    // Where nobody points at another second, the legend tells the last one.
    if (at.length > 0 && (this.#plot.cursor.left ?? -1) < 0) this.#plot.setLegend({ idx: data[0].length - 1 });
  }

  #options(): UPlot.Options {
    const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
    const series = (label: string, name: string, more: Partial<UPlot.Series> = {}): UPlot.Series => ({
      ...{ label, stroke: colour(name), width: 2, points: { show: false }, spanGaps: false },
      ...more,
    });
    return {
      width: this.#place.clientWidth,
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      series: [
        { label: 'at', value: '{HH}:{mm}:{ss}' },
        // Nearly all are answered: it is seen beside the line of the reads.
        series('read attempts', 'attempts', { width: 5 }),
        series('reads', 'reads'),
        series('writes', 'writes', { fill: colour('writes-fill') }),
        series('network errors', 'gone'),
      ],
      axes: [
        { ...axis, values: '{HH}:{mm}:{ss}', space: 90, size: 30 },
        { ...axis, size: 46 },
      ],
      hooks: { draw: [(plot) => this.#drawMarks(plot, colour)] },
    };
  }

  #drawMarks(plot: UPlot, colour: (name: string) => string): void {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * scale}px system-ui`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    // The right ends of the flags in each row.
    const rows: number[] = [];
    for (const { id, atMs, kind } of this.#marks) {
      const x = Math.round(plot.valToPos(atMs / 1_000, 'x', true));
      if (x < bbox.left) continue;
      const width = FLAG.width * scale;
      let row = rows.findIndex((end) => end < x - width / 2);
      if (row < 0) row = rows.length;
      rows[row] = x + width / 2;
      const y = bbox.top + row * (FLAG.height + 2) * scale;
      ctx.fillStyle = ctx.strokeStyle = colour(`mark-${kind}`);
      ctx.setLineDash([3 * scale, 3 * scale]);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillRect(x - width / 2, y, width, FLAG.height * scale);
      ctx.fillStyle = colour('surface');
      ctx.fillText(String(id), x, y + (FLAG.height / 2) * scale);
    }
    ctx.restore();
  }
}

/** No line between two seconds that do not follow each other. @param columns the times first */
function withGaps([at = [], ...columns]: number[][]): (number | null)[][] {
  const result: (number | null)[][] = [[], ...columns.map(() => [])];
  at.forEach((time, index) => {
    const before = at[index - 1];
    if (before !== undefined && time - before > 2.5) result.forEach((column, number) => column.push(number === 0 ? before + 1 : null));
    result[0]?.push(time);
    columns.forEach((column, number) => result[number + 1]?.push(column[index] ?? null));
  });
  return result;
}
