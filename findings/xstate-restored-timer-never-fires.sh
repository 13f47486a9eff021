#!/usr/bin/env bash
# xstate 5.33.3: an actor that is restored from its persisted snapshot never leaves a state by `after`: the timer is neither resumed nor started anew.
#
# What: a snapshot has the state, not the timers that run in it, and start() of a restored actor enters nothing, so that nothing starts them. No delayed raise() or
# sendTo() of before comes either. What the state invokes is started again, as the documentation says; of delays its page on persistence says nothing.
# Why it hurts: the state with the timer is the one that is there for what does not happen: the lease that ends, the reservation that is freed, the payment that is not answered.
# After a restart, or a reload, each of them stands for ever, without an error, and looks like one that still has time.
# Who should care: who keeps actors in a database or localStorage. Invoke a promise that waits until a deadline in the context, in place of `after`.
# Source: statelyai/xstate#5331 and #4860 (open and closed with the question how it should be); createMachine's persisted snapshot has no scheduled events.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error xstate@5.33.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createActor, createMachine, fromPromise, SimulatedClock } from 'xstate';

const { version } = JSON.parse(readFileSync('node_modules/xstate/package.json', 'utf8'));
console.log(`xstate@${version}, node ${process.version}`);

const DELAY_MS = 1_000;
let started = 0;
const lease = createMachine({
  initial: 'held',
  states: {
    held: { after: { [DELAY_MS]: 'free' }, invoke: { src: fromPromise(async () => (started += 1)) } },
    free: {},
  },
});

/** The state a hundred delays later of a lease that was taken, and was stored and restored meanwhile or not. */
function later(isRestored) {
  const clock = new SimulatedClock();
  let actor = createActor(lease, { clock }).start();
  clock.increment(DELAY_MS / 2);
  if (isRestored) {
    const stored = JSON.stringify(actor.getPersistedSnapshot());
    actor.stop();
    actor = createActor(lease, { clock, snapshot: JSON.parse(stored) }).start();
  }
  clock.increment(100 * DELAY_MS);
  return actor.getSnapshot().value;
}

const usual = later(false);
started = 0;
const restored = later(true);
console.log(`expected: free, ${DELAY_MS} ms after it was taken or after it was restored`);
console.log(`seen:     not stored: ${usual}; restored, ${100 * DELAY_MS} ms later: ${restored} (what the state invokes was started ${started} times)`);
const holds = usual === 'free' && restored === 'held' && started === 2;
if (!holds) console.log('CHANGED: a restored actor has its timers');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
