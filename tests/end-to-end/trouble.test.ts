import { beforeAll, describe, expect, test } from 'vitest';
import { ANSWER_WITHIN_MS } from '../cluster.js';
import { environment, mode, request, startUnlessItRuns, Terminal } from './cluster.js';
import { parseCheck, parseFunnel } from './funnel.js';

/** Of a line of the funnel, where a client counts one. */
const NETWORK_ERROR = /^\d+\t.*\[\d+-\d+-\d+ [1-9]\d*\]/m;

describe(`a cluster of three acceptors in trouble (${mode})`, () => {
  const terminal = new Terminal();
  const type = (line: string): Promise<string> => terminal.done(line);

  const fault = (action: string, ...nodes: string[]): Promise<string[]> =>
    Promise.all(nodes.map((node) => type(`./node-control/fault.sh ${action} ${node}`)));

  async function untilReady(): Promise<void> {
    const deadlineMs = Date.now() + 20_000;
    for (const proposer of [1, 2] as const) {
      while ((await request(proposer, '/readyz')).status !== 200) {
        if (Date.now() > deadlineMs) throw new Error(`proposer-${proposer} is not ready again`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  beforeAll(async () => {
    await startUnlessItRuns();
    await type('./node-control/run-control.sh resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
  });

  test.each([
    ['kill', 'start'],
    ['pause', 'resume'],
  ])('one acceptor after %s: clients go on, and after %s it serves again', async (breaks, mends) => {
    await fault(breaks, 'acceptor-2');
    const output = await type('./node-control/run-client.sh --seconds 4');
    const seconds = parseFunnel(output).slice(1);
    expect(seconds.filter(({ writes }) => writes === 0)).toEqual([]);
    expect(seconds.reduce((sum, { networkErrors }) => sum + networkErrors, 0)).toBe(0);
    parseCheck(output);
    await fault(mends, 'acceptor-2');
    await untilReady();
    await fault('kill', 'acceptor-1');
    expect((await request(1, '/kv/key-1')).status).toBe(200);
    await fault('start', 'acceptor-1');
    await untilReady();
  });

  test.each([
    ['kill', 'start'],
    ['pause', 'resume'],
  ])('two acceptors after %s: a clear answer in time, and after %s all is as before', async (breaks, mends) => {
    const before = await fetch(`http://127.0.0.1:${environment['PROPOSER_1_PORT']}/kv/key-1`).then((response) => response.json());
    await fault(breaks, 'acceptor-1', 'acceptor-3');
    const answers = await Promise.all([
      request(1, '/kv/key-1'),
      request(2, '/kv/never-written', { ver: 0, val: 1 }),
      request(2, '/readyz'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, expect.toBeOneOf([503, 504]), 503]);
    for (const { elapsedMs } of answers) expect(elapsedMs).toBeLessThan(ANSWER_WITHIN_MS);
    await fault(mends, 'acceptor-1', 'acceptor-3');
    await untilReady();
    expect(await fetch(`http://127.0.0.1:${environment['PROPOSER_2_PORT']}/kv/key-1`).then((response) => response.json())).toEqual(before);
  });

  test('a proposer killed in the middle of writes: nothing acknowledged is lost, and it serves again', async () => {
    const clients = terminal.start('./node-control/run-client.sh --key-prefix killed-');
    await clients.until(/^2\t/m, 60_000);
    await fault('kill', 'proposer-1');
    // By then the clients have met it, however long the machine took for the kill.
    await clients.until(NETWORK_ERROR, 60_000);
    await fault('start', 'proposer-1');
    await untilReady();
    expect(await clients.interrupt(), clients.output).toBe(0);
    const { acknowledged } = parseCheck(clients.output);
    expect(acknowledged).toBeGreaterThan(0);
    expect(parseFunnel(clients.output).some(({ networkErrors }) => networkErrors > 0)).toBe(true);
  });

  test('a proposer out of reach: a step names it and changes nothing', async () => {
    const before = await type('./node-control/run-control.sh dump proposer-1');
    await fault('kill', 'proposer-2');
    const { code, stderr } = await terminal.type('./node-control/run-control.sh rm-accept all acceptor-3:6379 2');
    expect(code).toBe(1);
    expect(stderr).toContain('proposer-2 cannot be reached');
    expect(await type('./node-control/run-control.sh dump proposer-1')).toBe(before);
    await fault('start', 'proposer-2');
    await untilReady();
  });
});
