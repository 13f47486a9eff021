/** A proposer said something that no proposer says: not the version that was asked for, or a value of nobody's. */
export class ImpossibleAnswer extends Error {}
