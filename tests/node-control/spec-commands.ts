const [ONE, TWO, THREE] = ['acceptor-1:6379', 'acceptor-2:6379', 'acceptor-3:6379'];

/** The commands of the spec, in its order, as the control program takes them. */
export const START = [`add-accept all ${ONE} 1`, `add-prepare all ${ONE} 1`];
export const GROW = [
  `add-accept all ${TWO} 2`,
  `rescan ${ONE},${TWO} 2`,
  `add-prepare all ${TWO} 2`,
  `add-accept all ${THREE} 2`,
  `add-prepare all ${THREE} 2`,
];
export const SHRINK = [
  `rm-accept all ${THREE} 2`,
  `rm-prepare all ${THREE} 2`,
  `rescan ${ONE},${TWO} 2`,
  `rm-accept all ${TWO} 1`,
  `rm-prepare all ${TWO} 1`,
  `wipe-acceptor ${TWO}`,
  `wipe-acceptor ${THREE}`,
];
