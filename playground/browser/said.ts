import { find, say } from '../../node-control/page/browser/element.js';
import type { ProposerSight, StageView } from '../../verification/pictures/view.js';

/** What stands above all where no lesson has something to say. */
export function headline({ verdict, moves, parcels, isBusy }: StageView): string {
  if (!verdict.isSound) return 'This history cannot be: the judge says why.';
  if (moves.length === 0)
    return 'Let a client ask for something, then click its messages: nothing arrives unless you say so. New to this? Begin with “Learn”.';
  const [count, them] = parcels.length === 1 ? ['One message waits', 'it'] : [`${parcels.length} messages wait`, 'them'];
  if (parcels.length > 0) return `${count} for you: deliver, lose or leave ${them}.`;
  return isBusy
    ? 'Somebody waits for an answer that does not come: let 300 ms pass.'
    : 'Nothing is under way. Let a client ask for something.';
}

/** Whom the proposers ask in each phase: once, where all ask the same. @param off the rules that are off */
export function setsText({ proposers }: StageView, off: readonly string[]): string {
  const isOff = off.includes('quorum');
  const until = ({ quorum }: ProposerSight['prepare']): string => (isOff || quorum === 1 ? '1 has' : `${quorum} have`);
  const texts = proposers.map(({ prepare, accept }) => {
    const [promising, accepting] = [prepare, accept].map(({ nodes }) => nodes.join(', '));
    if (!promising && !accepting) return 'has nobody to ask';
    if (promising === accepting && prepare.quorum === accept.quorum)
      return `asks ${promising} to promise until ${until(prepare)}, and then to accept until ${until(accept)}`;
    return `asks ${promising || 'nobody'} to promise until ${until(prepare)}, and then ${accepting || 'nobody'} to accept until ${until(accept)}`;
  });
  const told = new Set(texts).size === 1 ? [`Each proposer ${texts[0]}.`] : texts.map((text, index) => `Proposer ${index + 1} ${text}.`);
  return [...told, isOff ? 'So it is with the rule off: it would have it wait for a quorum.' : ''].join(' ').trim();
}

export function showVerdict({ verdict, bars }: StageView): void {
  const broken = `✕ not ${verdict.rule === 'linearizability' ? 'linearizable' : `kept: ${verdict.rule}`}`;
  find('#verdict').className = verdict.isSound ? 'healthy' : 'gone';
  say(find('#verdict'), verdict.isSound ? (bars.length > 0 ? '● linearizable so far' : '') : broken);
  say(find('#why'), [verdict.message, verdict.misdeed].filter((text) => text !== undefined).join('. '));
}
