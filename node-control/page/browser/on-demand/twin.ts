import type { NodeState, Snapshot } from '../../server/snapshot.js';
import type { TwinMoment } from '../../server/twin-telling.js';
import type { TwinView } from '../../server/twin.js';
import { element, find, narrow, replace, say } from '../element.js';
import { stateText } from '../graph.js';
import { colourOf, type DrawnAcceptor, type DrawnParcel, type DrawnProposer, drawing } from './drawing.js';

/** From one moment to the next, while it follows. */
const MOMENT_MS = 200;
/** Of those that came since the last look, so many are shown one by one; the ones before them at once. */
const SHOWN_ONE_BY_ONE = 36;
/** What was answered longer ago, as the proposers' clocks have it, is drawn no more. */
const DRAWN_MS = 1_000;
/** Letters of the key and of a value, in the drawing. */
const DRAWN_LETTERS = 8;
const ANSWER_MS = 5_000;

const isStill = matchMedia('(prefers-reduced-motion: reduce)');

/** The rounds of the key that the proposers watch, on the playground's stage. */
export class TwinSection {
  #view: TwinView | undefined;
  #snapshot: Snapshot | undefined;
  /** How many of the moments have happened, as it is drawn. */
  #at = 0;
  #isFollowing = true;
  #isAsking = false;
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor() {
    find('#unwatch').addEventListener('click', () => void this.#send(null));
    find('#earlier').addEventListener('click', () => this.#go(this.#at - 1));
    find('#later').addEventListener('click', () => this.#go(this.#at + 1));
    find('#moment').addEventListener('input', ({ target }) => this.#go(Number((target as HTMLInputElement).value)));
    find('#follow').addEventListener('click', () => this.#follow(!this.#isFollowing));
    narrow.addEventListener('change', () => this.#draw());
  }

  watch(key: string): Promise<void> {
    this.#follow(true);
    return this.#send(key);
  }

  /** Goes along with the cluster. */
  follow(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#draw();
    if (this.#view?.key !== undefined && !this.#isAsking) void this.#ask('twin');
  }

  #send(key: string | null): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask('twin', { method: 'POST', headers, body: JSON.stringify({ key }) });
  }

  async #ask(path: string, request: RequestInit = {}): Promise<void> {
    this.#isAsking = true;
    try {
      const response = await fetch(path, { ...request, signal: AbortSignal.timeout(ANSWER_MS) });
      const answer: unknown = await response.json();
      if (response.ok) this.#receive(answer as TwinView);
      else say(find('#watching'), (answer as { message: string }).message);
    } catch {
      say(find('#watching'), 'The control node does not answer.');
    } finally {
      this.#isAsking = false;
    }
  }

  #receive(view: TwinView): void {
    const { key, proposers, moments } = view;
    const shown = this.#view?.key === key ? this.#view?.moments[this.#at - 1]?.id : undefined;
    // One that is not told any more was before all that are.
    const at = shown === undefined ? 0 : moments.findIndex(({ id }) => id === shown) + 1;
    const isFirst = this.#view?.key !== key;
    this.#view = view;
    const watching = proposers.filter(({ isWatching }) => isWatching).map(({ title }) => title);
    const text = moments.length === 0 ? 'no message of it yet: write it.' : '';
    say(find('#watching'), key === undefined ? 'No key is watched.' : `${watching.join(' and ')} watch ${key}${text && `: ${text}`}`);
    find('#unwatch').hidden = key === undefined;
    find('#rounds').hidden = key === undefined;
    this.#listMoments(moments);
    // Whoever comes late sees how it stands.
    this.#at = isFirst ? moments.length : at;
    if (this.#isFollowing) this.#catchUp();
    else this.#draw();
  }

  #catchUp(): void {
    const end = this.#view?.moments.length ?? 0;
    this.#at = isStill.matches ? end : Math.max(this.#at, end - SHOWN_ONE_BY_ONE);
    this.#clock ??= setInterval(() => this.#tick(), MOMENT_MS);
    this.#draw();
  }

  #tick(): void {
    if (this.#at < (this.#view?.moments.length ?? 0)) {
      this.#at += 1;
      this.#draw();
      return;
    }
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#draw();
  }

  #follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    find('#follow').setAttribute('aria-pressed', String(isFollowing));
    clearInterval(this.#clock);
    this.#clock = undefined;
    if (isFollowing) this.#catchUp();
  }

  #go(at: number): void {
    this.#follow(false);
    this.#at = Math.min(Math.max(at, 0), this.#view?.moments.length ?? 0);
    this.#draw();
  }

  #listMoments(moments: readonly TwinMoment[]): void {
    const list = find('#moments');
    let round = '';
    const items = moments.map((moment, index) => {
      const { id, from, to, isReply, text, isLate, decision } = moment;
      const begins = id.split(' ', 1).join() !== round && !isReply;
      if (begins) round = id.split(' ', 1).join();
      const item = element(
        'li',
        { class: `${colourOf(moment)}${begins ? ' begins' : ''}` },
        element('b', {}, `${from} → ${to}`),
        ` ${text}${isLate ? '; late' : ''}`,
        ...(decision === undefined ? [] : [element('strong', {}, decision)]),
      );
      item.addEventListener('click', () => this.#go(index + 1));
      return item;
    });
    list.replaceChildren(...items);
  }

  #draw(): void {
    const view = this.#view;
    if (view?.key === undefined || !this.#snapshot) return;
    const { key, moments } = view;
    const before = moments.slice(0, this.#at);
    replace(
      find('#drawing'),
      drawing(
        {
          key: short(key),
          proposers: drawnProposers(view, this.#snapshot),
          acceptors: drawnAcceptors(view, this.#snapshot, before),
          parcels: parcelsAfter(before),
        },
        () => undefined,
      ),
    );
    const slider = find('#moment') as HTMLInputElement;
    slider.max = String(moments.length);
    slider.value = String(this.#at);
    slider.setAttribute('aria-valuetext', `${this.#at} of ${moments.length}`);
    (find('#earlier') as HTMLButtonElement).disabled = this.#at === 0;
    (find('#later') as HTMLButtonElement).disabled = this.#at === moments.length;
    this.#mark();
    // A screen reader hears how it ends, not each message on the way.
    if (this.#clock === undefined) say(find('#decided'), before.findLast(({ decision }) => decision !== undefined)?.decision ?? '');
  }

  /** Shows the moment in the list, and hides those after it. */
  #mark(): void {
    const list = find('#moments');
    [...list.children].forEach((item, index) => {
      item.classList.toggle('ahead', index >= this.#at);
      if (index === this.#at - 1) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    const current = list.children[this.#at - 1];
    if (current instanceof HTMLElement) list.scrollTop = current.offsetTop + current.offsetHeight - list.offsetTop - list.clientHeight;
  }
}

function drawnProposers({ proposers }: TwinView, { proposers: looks, acceptors }: Snapshot): DrawnProposer[] {
  const numbered = (nodes: readonly string[]): DrawnProposer['prepare'] => ({
    nodes: nodes.map((node) => `a${acceptors.findIndex(({ name }) => name === node) + 1}`),
  });
  return proposers.map(({ name, title }, index) => {
    const { state = 'gone', sets } = looks[index] ?? {};
    const asked = { era: sets?.era ?? 0, prepare: numbered(sets?.prepare.nodes ?? []), accept: numbered(sets?.accept.nodes ?? []) };
    return { name, title, ...standing(state), ...asked };
  });
}

function drawnAcceptors({ acceptors }: TwinView, { acceptors: looks }: Snapshot, before: readonly TwinMoment[]): DrawnAcceptor[] {
  return acceptors.map(({ name, title }, index) => {
    const holds = before.findLast(({ from, holds }) => from === name && holds !== undefined)?.holds;
    const { promise = '', ballot = '', proposer = 0, held } = holds ?? {};
    return {
      name,
      title,
      ...standing(looks[index]?.state ?? 'gone'),
      isUntold: holds === undefined,
      promise: shortBallot(promise),
      ballot: shortBallot(ballot),
      proposer,
      held: held?.replace(/^(.*)(, .*?)$/s, (_, value, version) => `${short(String(value))}${String(version)}`),
      floor: undefined,
    };
  });
}

function standing(state: NodeState): Pick<DrawnAcceptor, 'isUp' | 'isCut' | 'remark'> {
  const isUp = state === 'healthy' || state === 'slow';
  return { isUp, isCut: false, ...(!isUp && { remark: stateText(state, '') }) };
}

/** Requests that are not answered, and the answers of the phase that each proposer is in. */
function parcelsAfter(before: readonly TwinMoment[]): DrawnParcel[] {
  const now = before.at(-1)?.atMs ?? 0;
  const answered = new Set(before.filter(({ isReply }) => isReply).map(({ id }) => phaseOf(id) + nodeOf(id)));
  const present = new Map<string, string>();
  for (const { id, from, to, isReply } of before) present.set(isReply ? to : from, phaseOf(id));
  return before.flatMap(({ id, atMs, from, to, isReply, label, text, isLate }, number) => {
    const isUnderWay = !isReply && !answered.has(phaseOf(id) + nodeOf(id));
    const isRecent = isReply && present.get(to) === phaseOf(id) && now - atMs < DRAWN_MS;
    if (!isUnderWay && !isRecent) return [];
    return [{ number, from, to, isReply, label, text, isPassable: !isLate && label !== 'no answer' }];
  });
}

/** Of a moment's id, the ballot and the phase. */
function phaseOf(id: string): string {
  return id.split(' ').slice(0, 2).join(' ');
}

function nodeOf(id: string): string {
  return id.split(' ')[2] ?? '';
}

function shortBallot(ballot: string): string {
  return ballot.replace(/\.\d+$/, '');
}

function short(text: string): string {
  return text.length > DRAWN_LETTERS ? `${text.slice(0, DRAWN_LETTERS - 1)}…` : text;
}
