import { USUAL_CLUSTER } from '../stage/run.js';

/** A rule that is broken, and what the visitor is to do with it. */
export interface Level {
  readonly id: string;
  readonly title: string;
  /** What to do. */
  readonly task: string;
  readonly about: string;
  readonly cluster: string;
  /** See `Switch`. */
  readonly off: readonly string[];
  /** What has happened when the visitor comes. */
  readonly opening: readonly string[];
  readonly hint: string;
  /** After these choices the history is not linearizable; with all rules on it is, as far as they can be made then. */
  readonly solution: readonly string[];
  /** What was lost, and why the rule prevents it. */
  readonly lesson: string;
  /** False for the one with all rules on. */
  readonly isLosable: boolean;
}

type Own = 'id' | 'title' | 'task' | 'about' | 'hint' | 'solution' | 'lesson';

/** On the usual cluster, on which nothing has happened, with the rule off by whose name it goes; but for what is given. */
function level(given: Pick<Level, Own> & Partial<Level>): Level {
  return { cluster: USUAL_CLUSTER, off: [given.id], opening: [], isLosable: true, ...given };
}

/** Moves, with semicolons between them; those of the network, and waiting, need none. */
const moves = (text: string): string[] => text.split('; ').flatMap((part) => (/^([dxr]\d|wait)/.test(part) ? part.split(' ') : part));

/** In the order in which one learns. */
export const LEVELS: readonly Level[] = [
  level({
    id: 'quorum',
    title: 'One is not enough',
    task: 'Lose a write that a client was told is done.',
    about: 'A proposer goes on after the first answer.',
    hint: 'Let the write through proposer 1 reach acceptor 1 only, and read on another acceptor.',
    solution: moves('p1 cas k 0 "red"; d1 d4 d5 d8; p2 get k; d11 d12'),
    lesson:
      'The write was on one acceptor alone, and the read asked another one alone. Two of three always share an acceptor with two of three: so a read meets what was confirmed.',
  }),
  level({
    id: 'promise',
    title: 'A promise is a promise',
    task: 'Let both clients write version 1.',
    about: 'Acceptors take an accept whatever they have promised.',
    hint: 'Let both proposers prepare first, the second after the first. Then deliver the accepts in the order of the prepares.',
    solution: moves('p1 cas k 0 "red"; d1 d2 d4 d5; p2 cas k 0 "blue"; d9 d10 d12 d13 d6 d7 d17 d18 d14 d15 d19 d20'),
    lesson:
      'Proposer 2 had been told that nothing is there, and then the older accept slipped in. A promise means: nothing below this ballot from now on. It keeps what a prepare was told true until its accept comes.',
  }),
  level({
    id: 'stored',
    title: 'What is promised is kept',
    task: 'Let both clients write version 1, though a promise is looked at.',
    about: 'An acceptor says that it promises, and does not write it down.',
    opening: moves('p2 cas k 0 "blue"; x1 x2 x3 wait'),
    hint: 'Let proposer 2 prepare with its second ballot, which is above all of proposer 1. Before its accepts arrive, let proposer 1 write.',
    solution: moves('p2 cas k 0 "blue"; d4 d5 d7 d8; p1 cas k 0 "red"; d12 d13 d15 d16 d17 d18 d20 d21 d9 d10 d22 d23'),
    lesson:
      'A prepare that leaves nothing behind on the acceptor is only a read: the older round went through after it. The promise has to be there, and on disk, before the answer is sent.',
  }),
  level({
    id: 'read',
    title: 'A look is not a proof',
    task: 'Let a client read a value, and the next read find nothing.',
    about: 'An accept needs all three here, a prepare only one. A read believes a prepare quorum.',
    cluster: 'acceptors=3 prepare=1 accept=3 identities=yes',
    hint: 'Let the accept reach one acceptor only. Read there, and then somewhere else.',
    solution: moves('p1 cas k 0 "red"; d1 d4 d5; p2 get k; d9 d12 x10; p2 get k; d14 d16'),
    lesson:
      'The write was half done, and a reader was shown it all the same. Without a round a read may believe only what an accept quorum holds under one ballot: that is chosen. Otherwise it runs a round, which completes what it returns.',
  }),
  level({
    id: 'failed',
    title: 'Unknown is not failed',
    task: 'Let a client be told “not done” of a write that is read later.',
    about: 'A write whose accept was not confirmed is reported as not done.',
    hint: 'Let the accept reach one acceptor, lose its answer and the other accepts, let time pass. Then read where the accept is.',
    solution: moves('p1 cas k 0 "red"; d1 d2 d4 d5 d6 x7 x8 x9 wait; p2 get k; d10 d12 d13 d14 x11 wait d15 d17 d18 d19 d20 d22 d23 d24'),
    lesson:
      'The accept was on one acceptor, and the round of the read found it there and completed it. A failed accept is unknown, not failed: the proposer has to look for it in a full round before it may say anything.',
  }),
  level({
    id: 'blind',
    title: 'Not twice',
    task: 'Add 1 once, and find 2.',
    about: 'A write whose accept failed is simply done again, without its operation id.',
    hint: 'Let the accept reach one acceptor, lose the rest, let time pass, and deliver what follows.',
    solution: moves('p1 add k 1; d1 d2 d4 d5 d6 x7 x8 x9 wait d10 d11 d3 d12 d13 d14 d15 d16 d17 d18 d19 d20 d21'),
    lesson:
      'The second round found the result of the first and added to it. Every write carries an id that is stored with the value: so the round that looks for it sees that it was applied already.',
  }),
  level({
    id: 'names',
    title: 'The same request again',
    task: 'Let a request that is sent again be applied again.',
    about: 'A client gave its add a name, heard nothing, and the proposer died. The name is not looked for.',
    opening: moves('p1 add k 1 as n; d1 d2 d4 d5 d6 d7; restart p1'),
    hint: 'Send it again, with the button “again” of the clients; a first try may be refused by a promise that is still there.',
    solution: moves(
      'p1 add k 1 as n; d3 d8 d9 d10 d11 d12 d13 d14 d15 d16 d17 d18; p1 add k 1 as n; d19 d20 d21 d22 d23 d24 d25 d26 d27 d28 d29',
    ),
    lesson:
      'The write was there, with its name: 1 became 2. Whoever applies a named write first looks for the name among those that are stored with the value, and tells the first answer again.',
  }),
  level({
    id: 'cache',
    title: 'Old news',
    task: 'Let a client read a value that was overwritten before it asked.',
    about: 'A proposer answers from what it remembers of its last write.',
    opening: moves('p1 cas k 0 "red"; d1 d2 d4 d5 d6 d7 d9 d10'),
    hint: 'Overwrite the value through proposer 2; it may need two tries. Then read through proposer 1, and lose its questions.',
    solution: moves('p2 cas k 1 "blue"; d11 d12 d14 d15; p2 cas k 1 "blue"; d16 d17 d19 d20 d21 d22 d24 d25; p1 get k; x26 x27 x28 wait'),
    lesson:
      'Proposer 1 remembered its own write and had not heard of the other. There is no leader: what a proposer remembers proves nothing, and saves a round trip only if the acceptors then confirm it.',
  }),
  level({
    id: 'again',
    title: 'A ballot is used once',
    task: 'Let a client be told a value is written, and read another one of the same ballot.',
    about: 'A proposer keeps its next ballot after an accept that failed.',
    opening: moves('p1 cas k 0 "red"; d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11 d12'),
    hint: 'Let the accept of a second write reach acceptor 1 only, and lose all else until its outcome is unknown. Write once more: on acceptors 2 and 3.',
    solution: moves(
      'p1 cas k 1 "green"; d13 x14 x15 x16 wait x17 x18 x19 wait x20 x21 x22 wait x23 x24 x25 wait; p1 cas k 1 "blue"; d27 d28 d29 d30; p2 get k; d31 d33 d34 d35',
    ),
    lesson:
      'Two values had the same ballot, and each counted as a vote for the other. A ballot stands for one value: after an accept that did not reach its quorum, whatever the reason, its ballot is never used again.',
  }),
  level({
    id: 'version',
    title: 'Versions do not begin again',
    task: 'Let two different values be version 1.',
    about: 'A key that is deleted and created anew begins at version 1.',
    opening: moves('p1 cas k 0 "red"; d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11 d12'),
    hint: 'Delete the key and create it anew. No message has to be lost.',
    solution: moves('p1 delete k; d13 d14 d15 d16 d17 d18; p1 cas k 0 "green"; d19 d20 d21 d22 d23'),
    lesson:
      'A client that still knows the first version 1 would overwrite the second without noticing. A deletion leaves a tombstone with its version, and the key goes on above it.',
  }),
  level({
    id: 'identity',
    title: 'Who are you?',
    task: 'Lose a confirmed write together with a disk.',
    about: 'Nobody checks who an acceptor is that has nothing on its disk.',
    opening: moves('p1 cas k 0 "red"; d1 d2 d4 d5 d6 d7 d9 d10'),
    hint: 'The write is on acceptors 1 and 2. Let one of them lose its disk, and read there and on acceptor 3.',
    solution: moves('lose-disk a2; p2 get k; d12 d13 d14 d15'),
    lesson:
      'An empty disk looks like a register that was never written. An acceptor has an identity that is kept beside its data and lost with it: who answers without it is a stranger, and its “nothing” does not count.',
  }),
  level({
    id: 'debts',
    title: 'What the rescan is for',
    task: 'Grow to three acceptors, and lose the value that was there before.',
    about: 'The cluster has one acceptor, with a value. Nothing keeps the operator from leaving the rescan out.',
    cluster: 'acceptors=3 era=4 prepare=1:a1 accept=1:a1 identities=yes',
    opening: moves('p1 cas k 0 "red"; d1 d2 d3 d4'),
    hint: 'Type, where the operator is: add-accept all a2 2, add-prepare all a2 2, then the same for a3, and no rescan. Then read on the new acceptors.',
    solution: moves(
      'control add-accept all a2 2; control add-prepare all a2 2; control add-accept all a3 2; control add-prepare all a3 2; p2 get k; d6 d7 d8 d9',
    ),
    lesson:
      'The value was on acceptor 1 alone, written when one was enough. Two of three may miss it. The rescan brings every value to the larger accept set: it stands after add-accept for a2, and before add-prepare for a3, from which on a prepare can do without a1.',
  }),
  level({
    id: 'eras',
    title: 'A ghost from before',
    task: 'Let a write that was left behind come back over one that was confirmed.',
    about:
      'Ballots have no era, and counters do not catch up. Proposer 2 wrote much, and its last write is about to be left behind on acceptor 1.',
    cluster: 'acceptors=3 era=6 prepare=1:a1 accept=2:a1,a2 identities=yes',
    opening: moves(
      'p1 cas k 0 "one"; d1 d2 d3 d4 d5 d6; p2 cas other 0 "x"; d7 d8 d9 d10 d11 d12; p2 cas other 1 "y"; d13 d14 d15 d16; p2 cas k 1 "two"; d17 d18 d19 x20; restart p2',
    ),
    hint: 'Type add-prepare all a2 2, add-accept all a3 2, add-prepare all a3 2. Write through proposer 1 on acceptors 2 and 3, and then read on acceptors 1 and 3, twice if need be.',
    solution: moves(
      'control add-prepare all a2 2; control add-accept all a3 2; control add-prepare all a3 2; p1 cas k 1 "three"; d23 d24 d25 d26 d28 d29 d30 d31; p1 get k; d32 d34 d35 d36 x33 wait d37 d39 d41 d40; p1 get k; d42 d44 d45 d46 x43 wait d47 d49 d50 d51 d52 d54 d55 d56',
    ),
    lesson:
      'By its counter the write that was left behind was the later one. The era leads every ballot and rises with each change of the sets: so whatever was left behind before a change is below all that comes after it.',
  }),
  level({
    id: 'floor',
    title: 'Deleted, collected, back',
    task: 'Let a deleted value come back.',
    about: 'Acceptors forget what they have removed. An accept of “red” to acceptor 3 is still under way, and the key was deleted.',
    opening: moves('p1 cas k 0 "red"; d1 d2 d3 d4 d5 d6 d7 d8 d10 d11; p1 delete k; d12 d13 d15 d16 x14'),
    hint: 'Type collect, deliver its rounds and let time pass until it is done, but leave message 9 under way. Then deliver that, and read on acceptors 2 and 3.',
    solution: moves(
      'control collect; d17 d18 d19 d20 d21 d22 d23 d24 d25 d26 d27 d28 wait d9; p1 get k; d31 d32 d33 d29 d34 x30 wait d36 d37 d38 d39 d41 d42 d43 d44',
    ),
    lesson:
      'Where the tombstone had been removed nothing refused the late accept. Before a collection removes anything, every acceptor takes a floor: an absent register counts as having promised the era of the collection.',
  }),
  level({
    id: 'all',
    title: 'All rules on',
    task: 'Lose a write, with all rules on.',
    about: 'Cut, kill, lose, repeat, hold, grow, shrink. “Surprise me” lets an adversary try.',
    off: [],
    hint: 'There is none: the simulation tries this all day. If the judge ever says no, please send the address of the page.',
    solution: [],
    lesson: 'This must not be. Please send the address of this page to those who made it.',
    isLosable: false,
  }),
];
