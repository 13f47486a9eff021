import { within } from '../../client/within.js';
import { PROPOSERS } from '../../local/layout.js';
import { type Answer, ifNoAnswer, KeyValueClient } from '../../src/http/client.js';
import type { Time } from '../../src/protocol/time.js';
import type { Versioned } from '../../src/store/versioned.js';
import { type ClientOutcome, type History, type Request, stateToldTo } from '../checkers/history.js';
import type { Asked } from './next-write.js';
import { outcomeOf } from './outcome.js';

/** A proposer that hangs is given up after this long; a write is then unknown. */
const REQUEST_TIMEOUT_MS = 1_000;

/** What the asker learned. */
export interface Learned {
  readonly outcome: ClientOutcome;
  /** What the key held, or the write made of it, if all of that was told. */
  readonly seen?: { readonly ver: number; readonly val: string | null };
  /** Nobody can tell any more what became of the write of this name. */
  readonly isForgotten: boolean;
  /** A version that the key has reached. */
  readonly ver: number;
}

/** Called at the end of each request. */
export type OnOutcome = (request: Request, outcome: ClientOutcome) => void;

interface RequestsOptions {
  readonly addressOf: (proposer: string) => string;
  readonly history: History;
  readonly time: Time;
  readonly onOutcome: OnOutcome;
}

/** Sends requests to proposers, and records them and what they were told. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #proposers: ReadonlyMap<string, KeyValueClient>;

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#proposers = new Map(PROPOSERS.map((name) => [name, new KeyValueClient(options.addressOf(name))]));
  }

  /**
   * @param isCounted whether its outcome is news: that of a write that was known before is none
   * @throws ImpossibleAnswer
   */
  async send(client: string, proposer: string, asked: Asked<Request>, isCounted = true): Promise<Learned> {
    const { history, time, onOutcome } = this.#options;
    const { key, request } = asked;
    const returned = history.invoke(client, key.key, request);
    const answer = await within(time, REQUEST_TIMEOUT_MS, this.#ask(proposer, asked));
    const outcome = outcomeOf(asked, answer);
    const told = stateToldTo(returned(outcome));
    if (isCounted) onOutcome(request, outcome);
    const isForgotten = answer?.ok === false && answer.code === 'OutcomeForgotten';
    const ver = isForgotten ? Number(answer.body['since']) : (told?.ver ?? 0);
    return { outcome, isForgotten, ver, ...(told?.val !== undefined && { seen: { ver: told.ver, val: told.val } }) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proposers.values()].map((client) => client.close()));
  }

  /** Undefined where no answer came. */
  async #ask(proposer: string, asked: Asked<Request>): Promise<Answer<Versioned> | undefined> {
    const client = this.#proposers.get(proposer);
    if (!client) throw new TypeError(`no such proposer: ${proposer}`);
    return ask(client, asked).catch(ifNoAnswer);
  }
}

function ask(
  client: KeyValueClient,
  { key: { key, change, toValue }, request, since, isPosted }: Asked<Request>,
): Promise<Answer<Versioned>> {
  if (request.kind === 'get') return client.get(key);
  const { name, ver } = request;
  const repeatable = { ...(name !== undefined && { name }), ...(since !== undefined && { since }) };
  if (request.kind === 'delete') return client.delete(key, ver, repeatable);
  const val = toValue(request.val);
  if (request.kind === 'cas' && !isPosted) return client.put(key, request.ver, val, repeatable);
  const word = request.kind === 'append' || request.kind === 'add' ? change : 'set';
  return client.post(key, { [word]: val, ...(ver !== undefined && { ver }) }, repeatable);
}
