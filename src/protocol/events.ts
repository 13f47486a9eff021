/** What a proposer tells the program that it runs in, to count or to log. Each is called synchronously and must not throw. */
export interface ProposerEvents {
  /** Acceptors are about to be asked, whatever their number. */
  onPhase?(phase: Phase): void;
  /** A piggybacked promise has made a prepare needless. */
  onPromiseUsed?(): void;
  /** An acceptor has shown that an era has begun which this proposer's configuration does not reach. */
  onStale?(seenEra: number): void;
}

/** `read` is a quorum read's only phase; a round has the other two. */
export type Phase = 'read' | 'prepare' | 'accept';
