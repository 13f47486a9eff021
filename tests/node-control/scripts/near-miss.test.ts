import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../../node-control/', import.meta.url));

/** The complaint, before the usage, of a script that refuses its arguments before it looks for a cluster. */
function complaint(script: string, ...words: string[]): string {
  const { status, stderr } = spawnSync('bash', [`${folder}${script}`, ...words], { encoding: 'utf8' });
  expect(status).toBe(2);
  return stderr.split('\n')[0] ?? '';
}

describe('a word that is nearly right is answered with the one that was meant, by', () => {
  it.each([
    ['kill', 'aceptor-1', 'Unknown node "aceptor-1". Did you mean acceptor-1?'],
    ['kill', 'Proposer2', 'Unknown node "Proposer2". Did you mean proposer-2?'],
    ['kill', 'aceptor-1:6379', 'Unknown node "aceptor-1". Did you mean acceptor-1?'],
    ['kill', 'contorl', 'Unknown node "contorl". Did you mean control?'],
    ['kill', 'acceptor-4', 'Unknown node "acceptor-4".'],
    ['kill', 'acceptor', 'Unknown node "acceptor".'],
    ['pasue', 'acceptor-1', 'Unknown action "pasue". Did you mean pause?'],
    ['Kill', 'acceptor-1', 'Unknown action "Kill". Did you mean kill?'],
    ['jion', 'acceptor-1', 'Unknown action "jion". Did you mean join?'],
    ['maim', 'acceptor-1', 'Unknown action "maim".'],
    ['--nonsense', '', 'Unknown action "--nonsense".'],
  ])('fault.sh %s %s', (action, node, words) => {
    expect(complaint('fault.sh', action, node)).toBe(words);
  });

  it.each([
    ['add-acept', 'Unknown command "add-acept". Did you mean add-accept?'],
    ['statsu', 'Unknown command "statsu". Did you mean status?'],
    ['wipe-aceptor', 'Unknown command "wipe-aceptor". Did you mean wipe-acceptor?'],
    ['x', 'Unknown command "x".'],
    ['*', 'Unknown command "*".'],
  ])('run-control.sh %s', (command, words) => {
    expect(complaint('run-control.sh', command)).toBe(words);
  });
});
