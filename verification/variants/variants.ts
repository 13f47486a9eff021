import { BROKEN_COLLECTIONS } from './collections.js';
import { BROKEN_COPIES } from './copies.js';
import { UNCHECKED_IDENTITIES } from './identities.js';
import { BROKEN_OPERATIONS } from './operations.js';
import { BROKEN_PROTOCOL } from './protocol.js';
import { BROKEN_RESCANS } from './rescans.js';
import { SKIPPED_STEPS } from './skipped-steps.js';
import { UNGUARDED_STEPS } from './steps.js';
import type { Variant } from './variant.js';

/** Each breaks a rule by a few lines. */
export const VARIANTS: readonly Variant[] = [
  ...BROKEN_PROTOCOL,
  ...BROKEN_OPERATIONS,
  ...SKIPPED_STEPS,
  ...UNGUARDED_STEPS,
  ...BROKEN_RESCANS,
  ...UNCHECKED_IDENTITIES,
  ...BROKEN_COLLECTIONS,
  ...BROKEN_COPIES,
];
