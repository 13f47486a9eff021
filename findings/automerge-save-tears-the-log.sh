#!/usr/bin/env bash
# @automerge/automerge 3.5.0: save() takes changes away from saveIncremental(): a log of increments with one backup in between cannot be loaded.
#
# What: both move one mark. What was changed since the last increment and is in the answer of save() is in no increment any more: the next one is empty, or begins after
# the gap. load() of the log throws; loadIncremental() takes the rest without an error and keeps it back, for its predecessors are not there. The documentation of save()
# does not say that it changes anything; clone(), merge() and sync messages do not.
# Why it hurts: save() is also what one calls to look at the size, to make a backup, to send a document to somebody. From then on the log on disk is worth nothing beyond
# that point: whatever is appended, and acknowledged, is not seen after a restart.
# Who should care: who appends increments. saveSince(document, heads) with heads of one's own has no mark; or save a clone.
# Source: the comments on save and saveIncremental in dist/implementation.d.ts (they say nothing of each other).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @automerge/automerge@3.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as automerge from '@automerge/automerge';

const { version } = JSON.parse(readFileSync('node_modules/@automerge/automerge/package.json', 'utf8'));
console.log(`@automerge/automerge@${version}, node ${process.version}`);

/** What a log of increments holds after three changes, with something done between the second one and its increment. */
function restore(between) {
  let document = automerge.from({ balance: 100 });
  const log = [automerge.saveIncremental(document)];
  document = automerge.change(document, (draft) => { draft.balance = 90; });
  between(document);
  log.push(automerge.saveIncremental(document));
  document = automerge.change(document, (draft) => { draft.note = 'paid'; });
  log.push(automerge.saveIncremental(document));
  const sizes = log.map(({ length }) => length);
  const one = JSON.stringify(log.reduce((restored, increment) => automerge.loadIncremental(restored, increment), automerge.init()));
  let whole;
  try {
    whole = JSON.stringify(automerge.load(new Uint8Array(Buffer.concat(log))));
  } catch (error) {
    whole = error.constructor.name;
  }
  return { sizes, one, whole };
}
const plain = restore(() => {});
const cloned = restore((document) => automerge.save(automerge.clone(document)));
const saved = restore((document) => automerge.save(document));
const tell = ({ sizes, one, whole }) => `increments of ${sizes.join(', ')} bytes; loadIncremental: ${one}; load: ${whole}`;
console.log('expected: {"balance":90,"note":"paid"}, whether there was a save() between or not');
console.log(`seen:     no save():         ${tell(plain)}`);
console.log(`          save() of a clone: ${tell(cloned)}`);
console.log(`          save():            ${tell(saved)}`);

const right = '{"balance":90,"note":"paid"}';
const isRight = [plain, cloned].every(({ one, whole }) => one === right && whole === right);
const holds = isRight && saved.sizes[1] === 0 && saved.one === '{"balance":100}' && saved.whole === 'RangeError';
if (!holds) console.log('CHANGED: save() leaves the increments alone');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
