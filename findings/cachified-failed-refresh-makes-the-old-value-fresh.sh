#!/usr/bin/env bash
# @epic-web/cachified 5.6.3: a forced refresh that fails gives the old value, as documented, and stores it as a new one: what was an hour old, or had run out, is fresh again for the whole ttl.
#
# What: with `forceFresh: true` and a source that is down the answer is what the cache has, whatever its age (fallbackToCache is Infinity by default). That answer is then written to the cache with the time of now. Those who ask afterwards,
# without force, are given it until the ttl is over once more, though the source is back; each further failed refresh begins it anew.
# Why it hurts: "refresh" is pressed because a price, a right, a balance is known to be wrong; the source is away for a second, and the wrong value, which would have ended in a minute, stays for the next hour, on all instances of a shared cache.
# A value that had run out, and that nobody would have been given, comes back the same way.
# Who should care: who uses forceFresh with a ttl that is there for correctness. `fallbackToCache: false`, and catch the error; or a limit in milliseconds, which ends the second case only.
# Source: dist/index.mjs, getFreshValue(): createCacheEntry() of the fallback with the metadata of the call.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @epic-web/cachified@5.6.3 @sinonjs/fake-timers@15.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { cachified } from '@epic-web/cachified';
import FakeTimers from '@sinonjs/fake-timers';

const { version } = JSON.parse(readFileSync('node_modules/@epic-web/cachified/package.json', 'utf8'));
const clock = FakeTimers.install({ toFake: ['Date'] });
const MINUTE_MS = 60_000;
const TTL_MS = 60 * MINUTE_MS;

/** The price was 10 when it was read first, and is 12 since. A refresh is forced after some minutes while the source is down; what is answered after some more, when it is back? */
async function price({ forcedAfter, askedAfter, fallback }) {
  const cache = new Map();
  const source = { price: 10, isDown: false };
  const ask = (more) =>
    cachified({
      key: 'price',
      cache,
      ttl: TTL_MS,
      getFreshValue: async () => {
        if (source.isDown) throw new Error('503');
        return source.price;
      },
      ...more,
    });
  await ask();
  source.price = 12;
  clock.tick(forcedAfter * MINUTE_MS);
  source.isDown = true;
  const forced = fallback === undefined ? {} : { fallbackToCache: fallback };
  const answer = await ask({ forceFresh: true, ...forced }).catch((error) => `rejected, ${error.message}`);
  source.isDown = false;
  clock.tick(askedAfter * MINUTE_MS);
  return { answer, later: await ask() };
}
const before = await price({ forcedAfter: 55, askedAfter: 50 });
const expired = await price({ forcedAfter: 600, askedAfter: 50 });
const without = await price({ forcedAfter: 55, askedAfter: 50, fallback: false });
clock.uninstall();
const tell = ({ answer, later }) => `the refresh: ${answer}; 50 minutes later, the source is back: ${later}`;
console.log(`@epic-web/cachified@${version}, node ${process.version}`);
console.log('expected: with a ttl of an hour nobody is given a price that is older; the source says 12 since the first minute');
console.log(`seen:     forced, and failed, after 55 minutes: ${tell(before)}`);
console.log(`          after ten hours: ${tell(expired)}`);
console.log(`          after 55 minutes, with fallbackToCache: false: ${tell(without)}`);
const isStale = ({ answer, later }) => answer === 10 && later === 10;
const holds = isStale(before) && isStale(expired) && without.later === 12 && without.answer === 'rejected, 503';
if (!holds) console.log('CHANGED: the old value keeps its age');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
