/** The name of a node or the identity of an acceptor, as people call it: `acceptor-1` for `acceptor-1:6379` and `acceptor-1:6379#5f`. */
export function shortName(name: string): string {
  return name.replace(/:\d+(#.*)?$/, '');
}
