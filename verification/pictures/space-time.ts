import type { BarSight, Flight, StageView } from './view.js';

const [LEFT, TOP, ROW] = [100, 58, 24];
const WIDTHS = { client: 210, node: 150 };
/** Between operations of one client that go on at the same time. */
const BAR = 12;
const ANSWER_LENGTH_MAX = 30;
/** How far a message is drawn that is lost, and one that is still under way. */
const [LOST_SHARE, WAITING_SHARE] = [0.7, 0.2];

/** The page's colours, as the picture goes without it. */
const STYLE = `
  svg { background: #fff; color: #1b1f24; --line: #dcdfe2; --muted: #59636e; --one: #2361c4; --two: #b9540a; --gone: #bf342b; --bar: #6a4bc4; font: 11px system-ui, sans-serif; }
  text { fill: currentColor; } .lane { stroke: var(--line); stroke-width: 2; } .name, .title { font-weight: 600; } .title { font-size: 14px; }
  .name { text-anchor: middle; } .number, .event { fill: var(--muted); } .bar { fill: var(--bar); } .bar.open { opacity: 0.5; } .culprit { fill: var(--gone); }
  .message { color: var(--muted); } .message.one { color: var(--one); } .message.two { color: var(--two); } .message path { stroke: currentColor; fill: none; stroke-width: 1.5; }
  .message.waiting path { stroke-dasharray: 3 4; opacity: 0.6; } .message.lost path + path { stroke: var(--gone); stroke-width: 2.5; }
  @media (prefers-color-scheme: dark) {
    svg { background: #1b2027; color: #e7eaee; --line: #323943; --muted: #9ba6b2; --one: #7cabff; --two: #ff9f5a; --gone: #ff7f75; --bar: #a68cff; }
  }`;

/**
 * A run as a space-time diagram: a lane for each client and node, time from above, a row for each move. A file of its own, in SVG.
 * @param address that opens the run again
 */
export function spaceTime(view: StageView, address: string): string {
  const { proposers, acceptors, flights, bars, moves, verdict } = view;
  const usesControl = moves.some(({ choice }) => choice.startsWith('control')) || flights.some(({ from }) => from === 'control');
  const nodes = [...proposers.map(({ name }) => name), ...(usesControl ? ['control'] : []), ...acceptors.map(({ name }) => name)];
  const lanes = new Map<string, number>();
  let width = LEFT;
  for (const name of [...new Set(bars.map(({ client }) => client)), ...nodes]) {
    const isNode = nodes.includes(name);
    lanes.set(name, width + (isNode ? WIDTHS.node / 2 : BAR));
    width += isNode ? WIDTHS.node : WIDTHS.client;
  }
  const x = (lane: string): number => lanes.get(lane) ?? 0;
  const y = (move: number): number => TOP + move * ROW;
  const end = y(moves.length + 1);
  const said = verdict.isSound ? 'Linearizable.' : `Not linearizable: ${verdict.message ?? ''}`;
  const text = (atX: number, atY: number, kind: string, content: string): string =>
    `<text x="${atX}" y="${atY}" class="${kind}">${escaped(content)}</text>`;
  const parts = [
    text(LEFT, 20, 'title', `${moves.length} moves. ${said}`),
    ...[...lanes].flatMap(([name, at]) => [
      `<path class="lane" d="M${at} ${TOP} V${end}"/>`,
      text(nodes.includes(name) ? at : at + 24, TOP - 10, 'name', name),
    ]),
    ...moves.flatMap(({ choice, event }, index) => {
      const [verb = '', node = ''] = choice.split(' ');
      const lane = verb === 'control' ? verb : /^(kill|start|restart|cut|mend|lose-disk)$/.test(verb) ? node : undefined;
      const done = event ?? (lane === undefined ? (verb === 'wait' ? '300 ms pass' : '') : verb === 'control' ? choice.slice(8) : verb);
      const row = y(index + 1) + 4;
      return [
        text(8, row, 'number', String(index + 1)),
        ...(done ? [text(lane === undefined ? 30 : x(lane) + 6, row, 'event', done)] : []),
      ];
    }),
    ...flights.map((flight) => message(flight, x, y)),
    ...bars.flatMap((bar, number) => {
      const at = x(bar.client) + BAR * bars.slice(0, number).filter((before) => goesOnWith(before, bar)).length;
      const [from, to] = [y(bar.beganAt), bar.endedAt === undefined ? end : y(bar.endedAt)];
      const kind = `bar${bar.endedAt === undefined ? ' open' : ''}${verdict.culprit === number ? ' culprit' : ''}`;
      const answer =
        (bar.answer ?? '').length > ANSWER_LENGTH_MAX ? `${bar.answer?.slice(0, ANSWER_LENGTH_MAX) ?? ''}…` : (bar.answer ?? '');
      return [
        `<rect x="${at - 4}" y="${from}" width="8" height="${Math.max(to - from, 4)}" rx="3" class="${kind}"><title>${escaped(`${bar.text}: ${bar.answer ?? 'no answer'}`)}</title></rect>`,
        text(at + 8, from + 4, '', bar.text),
        text(at + 8, to + (to - from < ROW ? 16 : -4), 'event', answer),
      ];
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${end + ROW}" width="${width}" height="${end + ROW}" role="img">
<title>${escaped(`A run of CASPaxos. ${said}`)}</title><desc>${escaped(address)}</desc><style>${STYLE}</style>
${parts.join('\n')}
</svg>
`;
}

function message(flight: Flight, x: (lane: string) => number, y: (move: number) => number): string {
  const { from, to, text, label, isReply, sentAt, endedAt, isLost = false } = flight;
  const share = isLost ? LOST_SHARE : endedAt === undefined ? WAITING_SHARE : 1;
  const [x1, y1, y2] = [x(from), y(sentAt), y(endedAt ?? sentAt + 1)];
  const x2 = x1 + (x(to) - x1) * share;
  const side = Math.sign(x1 - x2);
  const turn = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
  const tip = isLost ? 'M-5 -5 L5 5 M-5 5 L5 -5' : endedAt === undefined ? '' : 'M-9 -4 L0 0 L-9 4';
  const ballot = isReply ? '' : (/ \d+\.\d+\.\d+\.\d+/.exec(text)?.[0] ?? '');
  const proposer = { p1: ' one', p2: ' two' }[isReply ? to : from] ?? '';
  const state = isLost ? ' lost' : endedAt === undefined ? ' waiting' : '';
  return `<g class="message${proposer}${state}"><title>${escaped(`${from} to ${to}: ${text}`)}</title><path d="M${x1} ${y1} L${x2} ${y2}"/><path transform="translate(${x2} ${y2}) rotate(${turn.toFixed(1)})" d="${tip}"/><text x="${x2 + side * 10}" y="${y2 - 5}" text-anchor="${side < 0 ? 'end' : 'start'}">${endedAt === undefined ? '' : escaped(label + ballot)}</text></g>`;
}

/** Whether an operation of the same client, which began before, had not ended. */
function goesOnWith(before: BarSight, { client, beganAt }: BarSight): boolean {
  return before.client === client && (before.endedAt ?? Infinity) > beganAt;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
