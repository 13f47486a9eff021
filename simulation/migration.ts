/** The commands of the README, in its order. Each is repeated until it succeeds, and only then comes the next. */
export const START = [
  'add-accept all acceptor-1:6379 1', //
  'add-prepare all acceptor-1:6379 1',
];

export const GROW = [
  'add-accept all acceptor-2:6379 2',
  'rescan acceptor-1:6379,acceptor-2:6379 2',
  'add-prepare all acceptor-2:6379 2',
  'add-accept all acceptor-3:6379 2',
  'add-prepare all acceptor-3:6379 2',
];

export const SHRINK = [
  'rm-accept all acceptor-3:6379 2',
  'rm-prepare all acceptor-3:6379 2',
  'rescan acceptor-1:6379,acceptor-2:6379 2',
  'rm-accept all acceptor-2:6379 1',
  'rm-prepare all acceptor-2:6379 1',
];

export const WIPE = [
  'wipe-acceptor acceptor-2:6379', //
  'wipe-acceptor acceptor-3:6379',
];
