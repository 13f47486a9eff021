import { isDeepStrictEqual } from 'node:util';
import type { Time } from '../../../src/protocol/time.js';
import { type Next, nextSteps } from '../../commands/next-steps.js';
import { nowText, type NamedConfiguration } from '../../narration/now.js';
import { type Silent, wayOut } from '../../narration/way-out.js';
import type { NodeSettings } from '../../nodes/settings.js';
import { Nodes } from '../../nodes/nodes.js';
import { commandLine } from '../../safety/objection.js';
import { isSilent } from './node-probe.js';
import type { AcceptorView, Narration, ProposerView } from './snapshot.js';
import { UnspreadKeys } from './unspread-keys.js';

/** What no look of the page's shows may have changed since: who has which disk, say. */
const SAME_MS = 10_000;

/** Tells what the configurations mean, and what to type next: as the control node would say itself, asked whenever something has changed. */
export class Narrator {
  readonly #advise: () => Promise<Next | undefined>;
  readonly #time: Time;
  readonly #unspreadKeys: UnspreadKeys;
  /** What the last question was about. */
  #asked: unknown;
  #askedAtMs = -Infinity;
  #isAsking = false;
  /** The answer, once it is there. */
  #next: Next | undefined;

  /** @param advise the next steps that pass the guard */
  constructor(nodes: NodeSettings, time: Time, advise = adviser(nodes)) {
    this.#advise = advise;
    this.#time = time;
    this.#unspreadKeys = new UnspreadKeys(nodes.connections, time);
  }

  /**
   * Of this moment. Where the nodes are not as they were, the next steps come with one of the narrations after this one.
   * @param told by the proposers that answer
   */
  narrate(told: readonly NamedConfiguration[], proposers: readonly ProposerView[], acceptors: readonly AcceptorView[]): Narration {
    const lost = acceptors.filter(({ state }) => state !== 'healthy' && state !== 'slow');
    const broken = lost.filter(({ state }) => !isSilent(state)).map(({ name }) => name);
    const silent = { proposers: silentAmong(proposers), acceptors: silentAmong(acceptors) };
    const nameOf = ({ name }: { readonly name: string }): string => name;
    const now = nowText(told, { acceptors: lost.map(nameOf), proposers: silent.proposers.map(nameOf) });
    const unspread = this.#unspreadKeys.text(told, acceptors);
    const out = wayOut(told, silent, broken);
    if (out) return { now, unspread, next: out.why, commands: out.commands };
    this.#ask({
      told,
      // One that is slow for a moment changes no advice: what is being copied stays.
      states: [...proposers, ...acceptors].map(({ name, state }) => [name, state === 'slow' ? 'healthy' : state]),
      keys: acceptors.map(({ keys }) => keys === 0),
    });
    if (!this.#next) return { now, unspread, commands: [] };
    return { now, unspread, next: this.#next.why, commands: this.#next.steps.map(commandLine) };
  }

  #ask(about: unknown): void {
    const isSame = isDeepStrictEqual(about, this.#asked);
    if (!isSame) this.#next = undefined;
    if (this.#isAsking || (isSame && this.#time.nowMs() < this.#askedAtMs + SAME_MS)) return;
    this.#isAsking = true;
    this.#asked = about;
    this.#askedAtMs = this.#time.nowMs();
    void this.#advise()
      .catch(() => undefined)
      .then((next) => {
        this.#isAsking = false;
        this.#next = next;
      });
  }
}

function silentAmong(nodes: readonly (ProposerView | AcceptorView)[]): Silent[] {
  return nodes.filter(({ state }) => isSilent(state)).map(({ name, state }) => ({ name, hangs: state === 'hangs' }));
}

/** The control node's own commands, which change nothing here. */
function adviser({ proposers, acceptors, connections }: NodeSettings): () => Promise<Next | undefined> {
  const nodes = new Nodes(proposers, acceptors, connections);
  return () => nextSteps(nodes);
}
