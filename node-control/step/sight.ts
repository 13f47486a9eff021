import type { Configuration } from '../../src/protocol/configuration.js';
import type { Member, MemberConfiguration } from '../nodes/nodes.js';
import type { Transition } from '../safety/guard.js';
import type { Step } from '../safety/typed-step.js';
import type { Absence } from './absence.js';
import type { Joining } from './joining.js';
import type { LeftOut } from './left-out.js';

/** What is to be done. */
export interface StepOrder {
  /** For the record of a forced step, and for the advice if it is refused. */
  readonly step: Step;
  /** The proposers whose sets change; the others get the era only. */
  readonly selected: readonly Member[];
  /** From the present sets to the new ones; what it returns is checked before anything is written. */
  readonly change: (present: Configuration, all: readonly MemberConfiguration[]) => Configuration;
}

/** What a step would do, and all that is known of the nodes that it is about, before anything is written. */
export interface Sight {
  readonly order: StepOrder;
  readonly present: readonly MemberConfiguration[];
  /** The proposers that cannot be reached, which a forced step leaves behind. */
  readonly missing: readonly string[];
  /** The proposers that this control node is not told of and that may run, which a forced step leaves behind, too. */
  readonly leftOut: readonly LeftOut[];
  readonly transitions: readonly MemberTransition[];
  readonly joining: Joining;
  readonly absence: Absence;
  /** Whether somebody can tell those that join what was collected. */
  readonly isFloorTold: boolean;
  /** Whether all proposers are in the same era: no half of another step is to be seen. */
  readonly isSettled: boolean;
  /** Whether the step stands already. */
  readonly isDone: boolean;
}

/** With the proposer whose it is. */
export interface MemberTransition extends Transition {
  readonly member: Member;
}
