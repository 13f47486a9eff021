/** What is done to a node, or to the link between a proposer and an acceptor. */
export type FaultKind =
  /** SIGKILL, and a restart later. An acceptor keeps its disk, a proposer its state folder. */
  | 'kill'
  /** It hangs: connections stay open, and nothing answers on them. */
  | 'pause'
  /** Nothing passes in either direction. */
  | 'cut'
  /** Requests arrive, replies do not. */
  | 'mute'
  /** It ends, and finds later what its disk had got by then: the page cache is lost. */
  | 'power'
  /** Its disk is full. */
  | 'full'
  /** Its file system finds an error in itself, and takes no more writes. */
  | 'error'
  /** A sync of its file takes as long as the fault lasts. */
  | 'slow';

/** The target of a fault that is nobody's doing: the disk of the machine holds up every write. */
export const DISK = 'disk';

export interface Fault {
  readonly kind: FaultKind;
  /** A node, `acceptor-1`, or a link, {@link linkBetween}. A fault of an acceptor's network is one of all its links. */
  readonly target: string;
}

/** The name of the link between a proposer and an acceptor. */
export function linkBetween(proposer: string, acceptor: string): string {
  return `${proposer}~${acceptor}`;
}

/** Whether a fault of this target keeps the proposer from the acceptor. */
export function separates(target: string, proposer: string, acceptor: string): boolean {
  return target === DISK || target === proposer || target === acceptor || target === linkBetween(proposer, acceptor);
}

export function isLink(target: string): boolean {
  return target.includes('~');
}

export function describeFault({ kind, target }: { kind: string; target: string }): string {
  return `${kind} ${target}`;
}
