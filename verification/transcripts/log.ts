/** Lines of a step's output: who and what, in two columns, or a whole line. */
type Row = readonly [who: string, what: string] | string;

/** What happened since the last step, in the order in which it happened. */
export class Log {
  #rows: Row[] = [];

  /** A message or a deed of a node. */
  add(who: string, what: string): void {
    this.#rows.push([who, what]);
  }

  /** A line of its own: the outcome of a command. */
  line(text: string): void {
    this.#rows.push(text);
  }

  /** The lines so far, with the second column aligned. Begins anew. */
  take(): string[] {
    const rows = this.#rows;
    this.#rows = [];
    const width = Math.max(0, ...rows.map((row) => (typeof row === 'string' ? 0 : row[0].length)));
    return rows.map((row) => (typeof row === 'string' ? row : `${row[0].padEnd(width)}  ${row[1]}`));
  }
}
