import type { Violation } from '../checkers/history.js';

/** Ends the search. */
export class ViolationFound extends Error {
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(violation.message);
    this.violation = violation;
  }
}
