import { explore } from './explorer.js';
import { SCENARIOS } from './scenarios.js';
for (const s of SCENARIOS.filter(({name}) => process.argv.includes(name))) {
  const t = Date.now();
  const r = await explore(s, {onProgress: (c) => { if (c.states % 50000 === 0) console.log(c, Date.now() - t); }});
  console.log(s.name, r.counts, Date.now() - t, process.memoryUsage().rss / 1e6);
  if (r.violation) console.log(r.violation.what, r.violation.path.map((m) => [m.kind, m.proposer, m.ways.size]));
}
