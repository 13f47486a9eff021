/** Of the package, which has no types. */
declare module 'json8-merge-patch' {
  /** Applies a JSON merge patch (RFC 7396). It changes `document`, too. Throws for a member named `__proto__`. */
  function apply(document: unknown, patch: unknown): unknown;
  export default { apply };
}
