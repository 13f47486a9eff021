import { stepOf } from '../../node-control/safety/typed-step.js';
import { type ClientAsks, askedIn } from '../../verification/transcripts/asked.js';

/** One move of the visitor. */
export type Choice =
  | { readonly verb: 'deliver' | 'lose' | 'repeat'; readonly parcel: number }
  | { readonly verb: 'wait' }
  /** Shows another key; nothing else happens. */
  | { readonly verb: 'look'; readonly key: string }
  | { readonly verb: 'ask'; readonly proposer: string; readonly asked: ClientAsks }
  | { readonly verb: 'kill' | 'start' | 'restart' | 'cut' | 'mend' | 'lose-disk'; readonly node: string }
  | { readonly verb: 'control'; readonly words: readonly string[] };

interface Form {
  readonly pattern: RegExp;
  readonly make: (words: readonly string[]) => Choice;
}

const PARCEL_VERBS = { d: 'deliver', x: 'lose', r: 'repeat' } as const;

/** A client's operations, `restart`, `lose-disk` and `control` are as in docs/transcripts/. */
const FORMS: readonly Form[] = [
  {
    pattern: /^([dxr])([1-9]\d{0,4})$/,
    make: ([verb = 'd', number]) => ({ verb: PARCEL_VERBS[verb as keyof typeof PARCEL_VERBS], parcel: Number(number) }),
  },
  { pattern: /^wait$/, make: () => ({ verb: 'wait' }) },
  { pattern: /^look ([a-z]{1,8})$/, make: ([key = '']) => ({ verb: 'look', key }) },
  {
    pattern: /^(p\d) ((?:get|cas|add|delete) .+)$/,
    make: ([proposer = '', text = '']) => ({ verb: 'ask', proposer, asked: askedIn(text) }),
  },
  { pattern: /^(kill|start|restart|cut|mend|lose-disk) ([ap]\d)$/, make: ([verb, node = '']) => ({ verb: verb as 'kill', node }) },
  { pattern: /^control ([a-z0-9, -]{1,80})$/, make: ([words = '']) => control(words.split(' ')) },
];

/** Throws a `TypeError` for what is no command. */
function control(words: readonly string[]): Choice {
  stepOf(words.filter((word) => !word.startsWith('--')));
  return { verb: 'control', words };
}

/**
 * Reads a move: `d12` delivers message 12, `x12` loses it, `r12` delivers it and leaves a copy on its way.
 * @throws TypeError for a text that is none
 */
export function parseChoice(text: string): Choice {
  for (const { pattern, make } of FORMS) {
    const words = pattern.exec(text);
    if (words) return make(words.slice(1));
  }
  throw new TypeError(`no move: ${text}`);
}

/** A move in words; what nodes, clients and the operator do is in words already. */
export function choiceInWords(choice: string): string {
  const [, verb = '', number] = /^([dxr])(\d+)$/.exec(choice) ?? [];
  if (number !== undefined) return `${verb === 'x' ? 'lose' : 'deliver'} message ${number}${verb === 'r' ? ' twice' : ''}`;
  return choice.replace(/^wait$/, 'let 300 ms pass').replace(/^look /, 'look at ');
}
