import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clear, environment, mode, request, type Running, Terminal } from './cluster.js';
import { parseCheck, parseFunnel } from './funnel.js';
import { readmeBlocks } from './readme-commands.js';

/** The commands that the user of this project fixed, in their order. */
const SPEC = `./build-run.sh
./run-control.sh add-accept all acceptor-1:6379 1
./run-control.sh add-prepare all acceptor-1:6379 1
./run-client.sh
./run-control.sh add-accept all acceptor-2:6379 2
./run-control.sh rescan acceptor-1:6379,acceptor-2:6379 2
./run-control.sh add-prepare all acceptor-2:6379 2
./run-control.sh add-accept all acceptor-3:6379 2
./run-control.sh add-prepare all acceptor-3:6379 2
./run-control.sh rm-accept all acceptor-3:6379 2
./run-control.sh rm-prepare all acceptor-3:6379 2
./run-control.sh rescan acceptor-1:6379,acceptor-2:6379 2
./run-control.sh rm-accept all acceptor-2:6379 1
./run-control.sh rm-prepare all acceptor-2:6379 1
./wipe-acceptor-2.sh
./wipe-acceptor-3.sh`.split('\n');

const READY_MS = 240_000;

describe(`the README's commands, typed in three terminals (${mode})`, () => {
  const blocks = readmeBlocks();
  const terminals = new Map([1, 2, 3].map((number) => [number, new Terminal()]));
  const control = new Terminal();
  const defaults = { share: 0 };
  let cluster: Running | undefined;
  let clients: Running | undefined;

  beforeAll(clear);
  afterAll(async () => {
    await clients?.interrupt();
    await cluster?.interrupt();
  });

  async function typeBlock(number: number): Promise<string[]> {
    const block = blocks[number];
    if (!block) throw new Error(`README.md has no block ${number}`);
    const terminal = terminals.get(block.terminal);
    if (!terminal) throw new Error(`README.md has a terminal ${block.terminal}`);
    const outputs: string[] = [];
    for (const line of block.lines) {
      if (line === './build-run.sh') cluster = terminal.start(line);
      else if (line === './run-client.sh') clients = terminal.start(line);
      else {
        const { code, stdout, stderr } = await terminal.type(line);
        expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
        outputs.push(stdout);
      }
    }
    return outputs;
  }

  /** How many keys each acceptor holds. */
  async function keys(): Promise<number[]> {
    const { stdout } = await control.type('./node-control/run-control.sh status');
    return [1, 2, 3].map((number) => Number(new RegExp(`^acceptor-${number}:6379 .* (\\d+)$`, 'm').exec(stdout)?.[1]));
  }

  test('are those of the specification, in its order', () => {
    const typed = blocks.flatMap(({ lines }) => lines.filter((line) => !line.startsWith('cd ') && !line.startsWith('curl ')));
    expect(typed).toEqual(SPEC);
  });

  test('start the cluster, which refuses operations until it is configured', async () => {
    await typeBlock(0);
    await cluster?.until('Ctrl-C stops the cluster', READY_MS);
    expect((await request(1, '/kv/hello')).status).toBe(503);
    await typeBlock(1);
    expect((await request(1, '/kv/hello')).status).toBe(404);
  });

  test('start the clients, with the header and the layout of the specification', async () => {
    await typeBlock(2);
    await clients?.until(/^3\t/m, 60_000);
    expect(clients?.output.split('\n').slice(0, 4)).toEqual([
      '# proposers: 2',
      '# keys: 9',
      '# clients: 3',
      '0\t[0-0-0 0]\t[0-0-0 0]\t[0-0-0 0]',
    ]);
  });

  test('grow the cluster to three acceptors that hold every key', async () => {
    await typeBlock(3);
    expect(await keys()).toEqual([9, 9, 9]);
  });

  test('shrink it to one, and leave nothing on the two that were wiped', async () => {
    await typeBlock(4);
    expect((await keys()).slice(1)).toEqual([0, 0]);
  });

  test('show the HTTP interface: created, read through the other proposer, replaced, too late', async () => {
    const outputs = await typeBlock(5);
    expect(outputs.map((output) => /^HTTP\/1\.1 (\d+)/.exec(output)?.[1])).toEqual(['201', '200', '200', '409']);
    expect(outputs[3]).toContain('"val":"blue"');
  });

  test('show changes, a name that is sent again, and a deletion', async () => {
    const outputs = await typeBlock(6);
    expect(outputs.map((output) => /^HTTP\/1\.1 (\d+)/.exec(output)?.[1])).toEqual(['200', '200', '200', '200', '404']);
    const bodies = outputs.map((output) => JSON.parse(output.split('\r\n\r\n')[1] ?? '') as unknown);
    expect(bodies.slice(0, 4)).toEqual([
      { key: 'visits', ver: 1, val: 1 },
      { key: 'visits', ver: 2, val: 2 },
      { key: 'visits', ver: 2, val: 2 },
      { key: 'visits', ver: 0, val: null, deletedVer: 3 },
    ]);
    expect(bodies[4]).toMatchObject({ code: 'KeyNotFound', ver: 0, deletedVer: 3 });
  });

  test('let no client see anything of it: no network error, no second without a write, no unknown outcome, nothing lost', async () => {
    expect(await clients?.interrupt()).toBe(0);
    const output = clients?.output ?? '';
    const seconds = parseFunnel(output);
    expect(seconds.map(({ second }) => second)).toEqual(seconds.map((_, index) => index));
    expect(seconds.reduce((sum, { networkErrors }) => sum + networkErrors, 0)).toBe(0);
    expect(seconds.slice(1).filter(({ writes }) => writes === 0)).toEqual([]);
    expect(parseCheck(output).unknown).toBe(0);
    defaults.share = share(output);
  });

  test('with --no-retry show more contention, and lose nothing', async () => {
    const { code, stdout } = await control.type('./node-control/run-client.sh --no-retry --seconds 5');
    expect(code).toBe(0);
    expect(parseFunnel(stdout)).toHaveLength(6);
    expect(share(stdout)).toBeLessThan(defaults.share);
  });

  test('with --change add show less contention, and lose nothing', async () => {
    const { code, stdout } = await control.type('./node-control/run-client.sh --change add --seconds 5');
    expect(code).toBe(0);
    expect(parseCheck(stdout).unknown).toBe(0);
    expect(share(stdout)).toBeGreaterThan(defaults.share);
  });

  test('stop the cluster, which has its data when it is started again', async () => {
    expect(await cluster?.interrupt()).toBeOneOf([0, 130]);
    expect((await request(1, '/healthz')).status).toBeUndefined();
    cluster = terminals.get(1)?.start('./build-run.sh');
    await cluster?.until('Ctrl-C stops the cluster', READY_MS);
    const response = await fetch(`http://127.0.0.1:${environment['PROPOSER_2_PORT']}/kv/colour`);
    expect(await response.json()).toEqual({ key: 'colour', ver: 2, val: 'blue' });
  });
});

/** The share of read attempts that end in a write. */
function share(output: string): number {
  const seconds = parseFunnel(output);
  const sum = (column: 'attempts' | 'writes'): number => seconds.reduce((total, second) => total + second[column], 0);
  return sum('writes') / sum('attempts');
}
