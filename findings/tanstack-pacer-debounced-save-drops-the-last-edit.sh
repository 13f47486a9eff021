#!/usr/bin/env bash
# @tanstack/pacer 0.22.0: AsyncDebouncer does not make the last call, where it came while the one before was at work, and that one ended within the wait: the edit is never saved, and its promise resolves.
#
# What: the end of a call clears the arguments that wait for the next one. When the timer of the newer call fires there are none, so nothing is called, and the promise resolves with what the older call returned. Where the older call takes
# longer than the wait, or is over before the newer one comes, all is well; AsyncThrottler does it right. Nobody is told, onError included.
# Why it hurts: a form that saves itself, with wait: 500, over a network that answers within 300 ms: who types on during a save, and then stops, has the text without its end on the server, and `await maybeExecute(text)` says "saved".
# Who should care: who saves by AsyncDebouncer, asyncDebounce() or useAsyncDebouncer(). Compare what was saved with what is there in onSettled, and call it again; or debounce without async, and save one after the other.
# Source: dist/async-debouncer.js, the `finally` of the execution (lastArgs) and the timer of maybeExecute().
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @tanstack/pacer@0.22.0 @sinonjs/fake-timers@15.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import FakeTimers from '@sinonjs/fake-timers';
import { AsyncDebouncer, AsyncThrottler } from '@tanstack/pacer';

const { version } = JSON.parse(readFileSync('node_modules/@tanstack/pacer/package.json', 'utf8'));
const WAIT_MS = 500;

/** "Hello" at 0 ms, "Hello, Ann" at `typedOnMs`, then nothing more; each save takes `saveMs`. What the server has an hour later, and what the last call said. */
async function type(make, saveMs, typedOnMs) {
  const clock = FakeTimers.install({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const server = { text: '' };
  const save = (text) =>
    new Promise((resolve) => {
      setTimeout(() => {
        server.text = text;
        resolve(`saved "${text}"`);
      }, saveMs);
    });
  const saver = make(save);
  saver.maybeExecute('Hello');
  await clock.tickAsync(typedOnMs);
  const last = { said: 'nothing yet' };
  saver.maybeExecute('Hello, Ann').then((said) => (last.said = said), (error) => (last.said = error.message));
  await clock.tickAsync(3_600_000);
  clock.uninstall();
  return { text: server.text, said: last.said };
}
const debouncer = (save) => new AsyncDebouncer(save, { wait: WAIT_MS });
const throttler = (save) => new AsyncThrottler(save, { wait: WAIT_MS });
const before = await type(debouncer, 300, 400);
const within = await type(debouncer, 300, 600);
const slow = await type(debouncer, 900, 600);
const after = await type(debouncer, 300, 900);
const throttled = await type(throttler, 300, 100);

const tell = ({ text, said }) => `the server has "${text}", the last call resolved with ${said}`;
console.log(`@tanstack/pacer@${version}, node ${process.version}`);
console.log('expected: with a wait of 500 ms and saves of 300 ms the last text is saved, whenever it was typed, and its promise says so');
console.log(`seen:     typed on before the save of the first text (at 400 ms): ${tell(before)}`);
console.log(`          typed on during it (at 600 ms): ${tell(within)}`);
console.log(`          typed on after it (at 900 ms): ${tell(after)}`);
console.log(`          typed on during a save of 900 ms: ${tell(slow)}; during one of AsyncThrottler: ${tell(throttled)}`);
const isSaved = ({ text }) => text === 'Hello, Ann';
const holds = within.text === 'Hello' && within.said === 'saved "Hello"' && [before, after, slow, throttled].every(isSaved);
if (!holds) console.log('CHANGED: the last text is saved, or another case is as bad');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
