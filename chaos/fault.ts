/** What is done to a node, or to the link between a proposer and an acceptor. */
export type FaultKind =
  /** SIGKILL, and a restart later. An acceptor keeps its disk, a proposer its state folder. */
  | 'kill'
  /** It hangs: connections stay open, and nothing answers on them. */
  | 'pause'
  /** Nothing passes in either direction. */
  | 'cut'
  /** Requests arrive, replies do not. */
  | 'mute';

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
  return target === proposer || target === acceptor || target === linkBetween(proposer, acceptor);
}

export function isLink(target: string): boolean {
  return target.includes('~');
}

export function describeFault({ kind, target }: Fault): string {
  return `${kind} ${target}`;
}
