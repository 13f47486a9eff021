/** An event of a trace in Chromium's form; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  /** Of the thread's own processor time: what others do on the machine is not in it. */
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
}

/** What the frames of a page cost, in milliseconds. */
export interface FrameCost {
  readonly frames: number;
  readonly perSecond: number;
  /** The main thread at work, from one frame to the next. */
  readonly work: { readonly mean: number; readonly p95: number; readonly max: number };
}

/** Of the page whose main thread does most. Throws a `RangeError` where the trace has no frames. */
export function costOf(events: readonly TraceEvent[]): FrameCost {
  const of = (thread: TraceEvent, name: string): TraceEvent[] =>
    events.filter((event) => event.pid === thread.pid && event.name === name).toSorted((a, b) => a.ts - b.ts);
  const tasksOf = (thread: TraceEvent): TraceEvent[] => of(thread, 'RunTask').filter(({ tid }) => tid === thread.tid);
  const length = (tasks: readonly TraceEvent[]): number => tasks.reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  const mains = events.filter(({ ph, name, args }) => ph === 'M' && name === 'thread_name' && args.name === 'CrRendererMain');
  const [main] = mains.toSorted((a, b) => length(tasksOf(b)) - length(tasksOf(a)));
  const drawn = main ? of(main, 'DrawFrame').map(({ ts }) => ts) : [];
  const [first, last] = [drawn[0], drawn.at(-1)];
  if (!main || first === undefined || last === undefined) throw new RangeError('the trace has no frames');
  const work = drawn.slice(1).map(() => 0);
  let frame = 0;
  for (const { ts, tdur = 0 } of tasksOf(main)) {
    if (ts < first || ts >= last) continue;
    while (ts >= (drawn[frame + 1] ?? last)) frame += 1;
    work[frame] = (work[frame] ?? 0) + tdur / 1_000;
  }
  work.sort((a, b) => a - b);
  return {
    frames: drawn.length,
    perSecond: (work.length / (last - first)) * 1_000_000,
    work: {
      mean: work.reduce((sum, one) => sum + one, 0) / work.length,
      p95: work[Math.floor(work.length * 0.95)] ?? 0,
      max: work.at(-1) ?? 0,
    },
  };
}
