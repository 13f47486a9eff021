/** What a user may not do at an acceptor and would have to. */
export interface Rights {
  readonly user: string;
  /** As ACL SETUSER takes them: `+hset ~r:*`. */
  readonly lacking: readonly string[];
  /** Why it is not let in at all. */
  readonly refusal?: string;
}
