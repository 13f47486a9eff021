import { request } from 'undici';

/** What one client did in one second. */
export interface FunnelCounts {
  /** GETs sent; of a client that increments by change function, increments begun. */
  readAttempts: number;
  /** GETs answered 200 or KeyNotFound; or increments that were answered. */
  reads: number;
  /** PUTs, or POSTs, answered 200 or 201. */
  writes: number;
  /** Requests without an HTTP answer. */
  networkErrors: number;
}

/** A line of the funnel, as an event of the stream that a running client offers. */
export interface FunnelLine {
  readonly second: number;
  readonly columns: readonly Readonly<FunnelCounts>[];
}

/** The logical name under which a running client offers its stream. */
export const FUNNEL_NAME = 'client:8070';

/**
 * The lines of a running client from now on, until it ends.
 * Throws if none runs.
 * @param address `host:port`
 */
export async function* followFunnel(address: string): AsyncGenerator<FunnelLine> {
  const { body } = await request(`http://${address}/`, { headersTimeout: 1_000, bodyTimeout: 5_000 });
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) yield JSON.parse(event.replace(/^data: /, '')) as FunnelLine;
  }
}
