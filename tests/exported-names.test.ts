import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PROJECT = new URL('..', import.meta.url);
/** Where the product and what verifies it are. */
const ROOMS = ['bench', 'client', 'local', 'node-control', 'playground', 'proposer', 'src', 'verification'];

it('a type that is exported has a name of its own in the whole repository', () => {
  const places = new Map<string, string[]>();
  for (const room of ROOMS) {
    const folder = new URL(`${room}/`, PROJECT);
    const names = readdirSync(fileURLToPath(folder), { recursive: true, encoding: 'utf8' });
    for (const file of names.filter((name) => name.endsWith('.ts'))) {
      const text = readFileSync(new URL(file, folder), 'utf8');
      for (const [, name = ''] of text.matchAll(/^export (?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm)) {
        places.set(name, [...(places.get(name) ?? []), `${room}/${file}`]);
      }
    }
  }
  expect(places.size).toBeGreaterThan(100);
  expect([...places].filter(([, files]) => files.length > 1)).toEqual([]);
});
