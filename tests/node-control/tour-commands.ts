import { readFileSync } from 'node:fs';

/** What tour.sh types, in its order. */
export function tourCommands(): string[] {
  const script = readFileSync(new URL('../../tour.sh', import.meta.url), 'utf8');
  const grow = /^grow\(\) \{\n(.*?)^\}\n/ms;
  const [, growing = ''] = grow.exec(script) ?? [];
  const unfolded = script.replace(grow, '').replace(/^grow\n/gm, growing);
  return [...unfolded.matchAll(/^ *(?:type_command |failed_step=)(\.\/.*)$/gm)].map(([, typed = '']) => typed);
}
