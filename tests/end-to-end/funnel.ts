export interface Second {
  readonly second: number;
  readonly attempts: number;
  readonly reads: number;
  readonly writes: number;
  readonly networkErrors: number;
}

const LINE = /^\d+(\t\[\d+-\d+-\d+ \d+\])+$/;

/** The lines of the funnel, summed over the clients. Throws for a line that does not have the layout. */
export function parseFunnel(output: string): Second[] {
  const lines = output.split('\n').filter((line) => /^\d/.test(line));
  return lines.map((line) => {
    if (!LINE.test(line)) throw new Error(`not a line of the funnel: ${JSON.stringify(line)}`);
    const [second = '', ...clients] = line.split('\t');
    const sum = (column: number): number => clients.reduce((total, client) => total + Number(client.match(/\d+/g)?.[column]), 0);
    return { second: Number(second), attempts: sum(0), reads: sum(1), writes: sum(2), networkErrors: sum(3) };
  });
}

/** What the last line of the final check says. */
export function parseCheck(output: string): { acknowledged: number; unknown: number } {
  const [, acknowledged, unknown] = /# in all: (\d+) acknowledged <= \d+ grown <= \d+ \+ (\d+) unknown: nothing lost/.exec(output) ?? [];
  if (acknowledged === undefined) throw new Error(`no clean final check in:\n${output}`);
  return { acknowledged: Number(acknowledged), unknown: Number(unknown) };
}
