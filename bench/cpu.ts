import { readFileSync } from 'node:fs';

/** The unit of the times in /proc/PID/stat, the same on every Linux that runs Node. */
const TICK_MS = 10;

/**
 * The processor time of a process and of all that it started, until now: an acceptor is a script with a server below it. NaN where the system has no
 * /proc, or no such process.
 */
export function cpuMs(pid: number): number {
  const children = childrenOf(pid).map(cpuMs);
  return children.reduce((sum, ms) => sum + (Number.isNaN(ms) ? 0 : ms), ownCpuMs(pid));
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The system calls that write, to sockets and to files, of a process and of all that it started, until now. NaN as above. */
export function writeCalls(pid: number): number {
  const children = childrenOf(pid).map(writeCalls);
  return children.reduce((sum, calls) => sum + (Number.isNaN(calls) ? 0 : calls), ownWriteCalls(pid));
}

function ownWriteCalls(pid: number): number {
  try {
    return Number(/^syscw: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

/** With that of children that have ended. */
function ownCpuMs(pid: number): number {
  try {
    // The name of the program, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // utime, stime, cutime, cstime: fields 14 to 17, of which the state, after the name, is the third.
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0);
  } catch {
    return NaN;
  }
}
