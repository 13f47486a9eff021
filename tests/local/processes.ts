import { execFileSync } from 'node:child_process';

/** Those of the processes that live: a zombie that its parent has not asked for yet does not. */
export function living(pids: readonly number[]): number[] {
  if (pids.length === 0) return [];
  const rows = ps('-o', 'pid=,stat=', '-p', pids.join(',')).trim().split('\n');
  return rows.filter((row) => /^ *\d+ +[^Z]/.test(row)).map((row) => parseInt(row, 10));
}

export function lives(pid: number): boolean {
  return living([pid]).length === 1;
}

export function groupOf(pid: number): number {
  return Number(ps('-o', 'pgid=', '-p', String(pid)));
}

/** The processes that `parent` started and whose command line holds `text`. */
export function childrenOf(parent: number, text: string): number[] {
  const lines = ps('-ax', '-o', 'pid=,ppid=,args=').split('\n');
  const rows = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  return rows.filter((row) => row?.[2] === String(parent) && row[3]?.includes(text)).map((row) => Number(row?.[1]));
}

function ps(...args: string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
