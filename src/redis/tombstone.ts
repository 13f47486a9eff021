import type { Value } from '../protocol/acceptor.js';

/** The version of the tombstone that a deleted key leaves in its register; undefined if the key was not deleted. The scripts find it in the same way. */
export function tombstoneVersion(value: Value): number | undefined {
  const [, version] = /^\{"ver":(\d+),[^]*,"deleted":true\}$/.exec(value ?? '') ?? [];
  return version === undefined ? undefined : Number(version);
}
