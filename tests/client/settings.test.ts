import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { settingsFrom } from '../../client/settings.js';
import { Program } from './program.js';

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(() => program.close());
afterEach(() => vi.restoreAllMocks());

const NOBODY = '{"proposer-1:8080": "127.0.0.1:1", "proposer-2:8080": "127.0.0.1:1"}';

describe("the client's options", () => {
  it.each([
    [['--keys', '0'], 'whole number from 1 to 10000'],
    [['--keys', '1.5'], 'whole number from 1 to 10000'],
    [['--keys', '9x'], 'whole number from 1 to 10000'],
    [['--keys', ''], 'whole number from 1 to 10000'],
    [['--keys', '10001'], 'whole number from 1 to 10000'],
    [['--clients', '-1'], 'whole number from 1 to 256'],
    [['--clients', '257'], 'whole number from 1 to 256'],
    [['--seconds', '0'], 'whole number from 1 to'],
    [['--seconds', '1e3'], 'whole number from 1 to'],
    [['--seed', 'abc'], 'whole number from 0 to 4294967295'],
    [['--seed', '4294967296'], 'whole number from 0 to 4294967295'],
    [['--proposers', ''], '"" is not host:port'],
    [['--proposers', 'proposer-1'], '"proposer-1" is not host:port'],
    [['--proposers', 'a:1,,b:2'], '"" is not host:port'],
    [['--proposers', 'http://a:80'], '"http://a:80" is not host:port'],
    [['--proposers', 'a:65536'], '"a:65536" is not host:port'],
    [['--proposers', 'a:1,a:1'], 'listed twice'],
    [['--key-prefix', ''], 'must have 1 to 507 bytes'],
    [['--key-prefix', 'é'.repeat(254)], 'must have 1 to 507 bytes'],
    [['--key-prefix', 'a\nb'], 'without control characters'],
    [['--change', 'set'], 'Allowed choices are cas, add'],
    [['--nonsense'], "unknown option '--nonsense'"],
    [['run'], 'too many arguments'],
  ])('%j is refused: %s', (args, message) => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`ended with ${code}`);
    });
    expect(() => settingsFrom(args)).toThrow('ended with 2');
    const said = stderr.mock.calls.join('');
    expect(said).toContain(message);
    expect(said).toContain('--help');
    expect(stdout).not.toHaveBeenCalled();
  });

  it('end the program where one is wrong', async () => {
    const client = program.start(['--nonsense'], NOBODY);
    expect(await client.ended).toBe(2);
    expect(client.stderr).toContain("unknown option '--nonsense'");
    expect(client.stdout).toBe('');
  });

  it.each([
    ['{"proposer-1:8080": ', 'cannot read the address map'],
    ['null', 'cannot read the address map'],
    ['{"proposer-1:8080": "nowhere"}', 'gives proposer-1:8080 the address "nowhere", not host:port'],
    ['{"proposer-2:8080": 7}', 'gives proposer-2:8080 the address 7, not host:port'],
  ])('the address map %s is refused', async (map, message) => {
    const client = program.start([], map);
    expect(await client.ended).toBe(1);
    expect(client.stderr).toContain(message);
    expect(client.stderr).toContain('ADDRESS_MAP');
  });

  it('are explained by --help, with examples and the columns', async () => {
    const client = program.start(['--help'], NOBODY);
    expect(await client.ended).toBe(0);
    for (const option of ['--proposers', '--keys', '--clients', '--seconds', '--seed', '--no-retry', '--change', '--key-prefix']) {
      expect(client.stdout).toContain(option);
    }
    expect(client.stdout).toContain('proposer-1:8080,proposer-2:8080');
    expect(client.stdout).toContain('[attempts-reads-writes errors]');
    expect(client.stdout).toContain('Examples:');
    expect(client.stdout).toContain('timing');
  });

  it('say that nobody answers, and where', async () => {
    const client = program.start(['--seconds', '1'], NOBODY);
    expect(await client.ended).toBe(1);
    expect(client.stderr).toMatch(/# proposer-\d does not answer \(.*ECONNREFUSED.*\).*\.\/build-run\.sh/);
    expect(client.stdout).toContain('NOTHING CHECKED');
  });
});
