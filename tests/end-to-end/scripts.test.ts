import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { clear, environment, mode, request, root, startUnlessItRuns, Terminal } from './cluster.js';

const project = environment['COMPOSE_PROJECT_NAME'];
const terminal = new Terminal();
const START_MS = 120_000;

const type = (line: string): Promise<string> => terminal.done(line);

beforeAll(clear);
afterAll(clear);

describe(`the scripts (${mode})`, () => {
  /** The words of the last start. */
  let started = '';

  test.each(['./node-control/run-control.sh ls', './node-control/run-client.sh', './node-control/fault.sh kill acceptor-1'])(
    'say that no cluster runs, and what to type: %s',
    async (line) => {
      const { code, stderr } = await terminal.type(line);
      expect(code).toBe(1);
      expect(stderr).toMatch(/No (docker|local) cluster runs/);
      expect(stderr).toContain(`build-run.sh --${mode}`);
    },
  );

  test.each([
    'build-run.sh',
    'clear.sh',
    'tour.sh',
    'test.sh',
    'node-control/run-control.sh',
    'node-control/run-client.sh',
    'node-control/fault.sh',
  ])('explain themselves without a cluster, and refuse what they do not know: %s', async (script) => {
    expect(await type(`./${script} --help`)).toMatch(/^usage: /);
    if (script === 'node-control/run-client.sh') return; // its options are the program's own
    const { code, stderr } = await terminal.type(`./${script} --nonsense`);
    expect(code).toBe(2);
    expect(stderr).toContain('usage: ');
  });

  test('name the port that is taken and the variable that changes it, and leave nothing running', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(environment['PROPOSER_1_PORT']), '127.0.0.1', resolve));
    try {
      const { code, stdout, stderr } = await terminal.type('./build-run.sh --detach');
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('PROPOSER_1_PORT');
    } finally {
      server.close();
    }
    expect(await type('./build-run.sh --stop')).toBe('No cluster runs.\n');
  });

  test('clear what a start left that was killed while it made the secrets', async () => {
    const left = mode === 'docker' ? `.secrets/${project}.aB3dE6` : '.cluster-end-to-end-local/secrets.aB3dE6';
    await type(`mkdir -p ${left} && ./clear.sh`);
    expect((await terminal.type(`ls -d ${left}`)).code).not.toBe(0);
  });

  test('stop a cluster and start it again', async () => {
    expect(await type('./build-run.sh --detach')).toContain(String(environment['PROPOSER_2_PORT']));
    await type('./node-control/run-control.sh add-accept all acceptor-1:6379 1');
    await type('./build-run.sh --stop');
    expect((await terminal.type('./node-control/run-control.sh ls')).code).toBe(1);
    started = await type('./build-run.sh --detach');
    expect(await type('./node-control/run-control.sh dump proposer-1')).toContain('acceptor-1:6379');
  });

  test.runIf(mode === 'docker')(
    'let proposers log lines where a terminal shows them, objects else; those that run keep theirs',
    async () => {
      const ofProposer = (format: string): Promise<string> => type(`docker inspect --format '${format}' ${project}-proposer-1-1`);
      const logFormat = async (): Promise<string | undefined> =>
        /^LOG_FORMAT=(.*)$/m.exec(await ofProposer('{{range .Config.Env}}{{println .}}{{end}}'))?.[1];
      const inTerminal = `script --quiet --return --command ./build-run.sh /dev/null`;
      const startedAt = await ofProposer('{{.State.StartedAt}}');
      const second = terminal.start(inTerminal);
      await second.until('Ctrl-C leaves the cluster running', START_MS);
      expect([await logFormat(), await ofProposer('{{.State.StartedAt}}')]).toEqual(['json', startedAt]);
      await type('./build-run.sh --stop');
      await second.end();

      const first = terminal.start(inTerminal);
      await first.until('Ctrl-C stops the cluster', START_MS);
      expect(await logFormat()).toBe('pretty');
      // What a proposer says of it is shown as it comes.
      await type('./node-control/run-control.sh add-prepare all acceptor-1:6379 1');
      await first.until(/proposer-1-1 +\| .*INFO.*: /, START_MS);
      await type('./build-run.sh --stop');
      await first.end();
      started = await type('./build-run.sh --detach');
      expect(await logFormat()).toBe('json');
    },
  );

  test('serve the page where build-run.sh says', async () => {
    const [, address = ''] = /the page {4}(http:\S+)/.exec(started) ?? [];
    expect(address).toBe(`http://127.0.0.1:${environment['CONTROL_PORT']}/`);
    expect((await fetch(address)).status).toBe(200);
  });

  test('interrupt a command of the control node, and leave nothing of it running', async () => {
    const proposer = `http://127.0.0.1:${environment['PROPOSER_1_PORT']}`;
    await type('./node-control/run-control.sh add-prepare all acceptor-1:6379 1');
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"ver":0,"val":1}' };
    expect((await fetch(`${proposer}/kv/held`, put)).status).toBe(201);
    // The rescan asks a proposer that does not answer.
    await type('./node-control/fault.sh pause proposer-1');
    const rescan = terminal.start('./node-control/run-control.sh rescan acceptor-1:6379 1');
    // Other tests may run rescans of their own on this machine: only what the script started counts, which is in its process group.
    const processes =
      mode === 'docker'
        ? `docker exec ${project}-control-1 sh -c 'cat /proc/[0-9]*/cmdline'`
        : `ps -ax -o pgid=,args= | sed -n 's/^ *${rescan.group} //p'`;
    const program = `${mode === 'docker' ? '' : root}dist/node-control/main.js`;
    const running = async (): Promise<string> => (await terminal.type(processes)).stdout.replaceAll('\0', ' ');
    await expect.poll(running, { timeout: START_MS, interval: 500 }).toContain(`${program} rescan`);
    // Null: the script had become the program, which the signal ended.
    expect(await rescan.interrupt()).toBe(mode === 'docker' ? 130 : null);
    expect(await running()).not.toContain(`${program} rescan`);
    await type('./node-control/fault.sh resume proposer-1');
    await type('./node-control/run-control.sh rescan acceptor-1:6379 1');
  });

  test.runIf(mode === 'docker').each([
    ['kill', 'start'],
    ['pause', 'resume'],
  ])('say what to type where the control node is broken: %s, and %s', async (breaks, mends) => {
    await type(`./node-control/fault.sh ${breaks} control`);
    const { code, stderr } = await terminal.type('./node-control/run-control.sh ls');
    expect(code).toBe(1);
    expect(stderr).toContain(`fault.sh ${mends} control`);
    await type(`./node-control/fault.sh ${mends} control`);
    await type('./node-control/run-control.sh ls');
  });
});

describe.runIf(mode === 'docker')('the containers', () => {
  beforeAll(startUnlessItRuns);

  test('are left running by a second start, which says since when they run, and by its Ctrl-C', async () => {
    const second = new Terminal().start('./build-run.sh');
    await second.until('Ctrl-C leaves the cluster running', 240_000);
    expect(second.output).toMatch(/^The cluster runs already, in Docker \(project \S+\), since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./m);
    expect(await second.interrupt()).toBeOneOf([0, 130]);
    expect(second.output).toMatch(/\nThe cluster is left as it is\. Stop it, the data stays: \S+\/build-run\.sh --stop\n$/);
    expect((await request(1, '/healthz')).status).toBe(200);
    expect((await type(`docker ps -q --filter label=com.docker.compose.project=${project}`)).trim().split('\n')).toHaveLength(6);

    // A signal to the script alone, as from "kill": what follows the logs ends with it, else the output would stay open.
    const third = new Terminal().start('./build-run.sh');
    await third.until('Remove everything', 240_000);
    await vi.waitUntil(async () => (await new Terminal().type("pgrep -f '[l]ogs --follow'")).code === 0, 60_000);
    process.kill(third.group, 'SIGTERM');
    expect(await third.end()).toBeOneOf([0, 143]);
    expect(third.output).toMatch(/\nThe cluster is left as it is\. Stop it, the data stays: \S+\/build-run\.sh --stop\n$/);
  });

  interface Container {
    readonly Name: string;
    readonly Config: { readonly User: string };
    readonly HostConfig: {
      readonly ReadonlyRootfs: boolean;
      readonly Privileged: boolean;
      readonly CapDrop: string[];
      readonly SecurityOpt: string[];
      readonly Memory: number;
      readonly MemorySwap: number;
      readonly PidsLimit: number;
      readonly Init: boolean;
      readonly RestartPolicy: { readonly Name: string };
      readonly LogConfig: { readonly Config: Record<string, string> };
      readonly PortBindings: Record<string, { readonly HostIp: string }[]>;
    };
  }

  test('run without rights that they do not need, within limits, and listen on this machine only', async () => {
    const ids = (await type(`docker ps -q --filter label=com.docker.compose.project=${project}`)).trim().split('\n');
    expect(ids).toHaveLength(6);
    const containers = JSON.parse(await type(`docker inspect ${ids.join(' ')}`)) as Container[];
    for (const { Name, Config, HostConfig } of containers) {
      expect(HostConfig, Name).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ['ALL'], Init: true });
      expect(HostConfig.SecurityOpt, Name).toContain('no-new-privileges:true');
      expect(['node', 'redis'], Name).toContain(Config.User);
      expect(HostConfig.Memory, Name).toBeGreaterThan(0);
      expect(HostConfig.MemorySwap, Name).toBe(HostConfig.Memory);
      expect(HostConfig.PidsLimit, Name).toBeGreaterThan(0);
      expect(HostConfig.RestartPolicy.Name, Name).toBe('unless-stopped');
      expect(HostConfig.LogConfig.Config, Name).toMatchObject({ 'max-size': '10m', 'max-file': '3' });
      const published = Object.entries(HostConfig.PortBindings).map(([port, [binding]]) => `${binding?.HostIp}:${port}`);
      expect(published, Name).toEqual(Name.includes('acceptor') ? [] : ['127.0.0.1:8080/tcp']);
    }
  });

  test.each(['proposer', 'client'])('have nothing of ours in the %s image but what runs', async (name) => {
    const inside = `find /app -path /app/node_modules -prune -o -type f -print; ls /app/node_modules`;
    const files = (await type(`docker run --rm --network none --entrypoint sh ${project}-${name} -c '${inside}'`)).trim().split('\n');
    // The page's "Why this step?" links to these two.
    const read = name === 'client' ? ['/app/docs/reconfiguration.md', '/app/docs/tour.md'] : [];
    expect(files.filter((file) => /\.ts$|\.map$|tests|\.git|\.md$/.test(file)).sort()).toEqual(read);
    expect(files.filter((file) => ['typescript', 'vitest', 'oxlint', 'oxfmt', 'fast-check'].includes(file))).toEqual([]);
    expect(files).toContain('ioredis');
  });

  test('are all removed by clear.sh, with volumes, networks and images; what it did not build stays', async () => {
    await type('./clear.sh');
    const label = `--filter label=com.docker.compose.project=${project}`;
    for (const list of [
      `ps -aq ${label}`,
      `volume ls -q ${label}`,
      `network ls -q ${label}`,
      `image ls -q --filter reference=${project}-*`,
    ]) {
      expect(await type(`docker ${list}`), list).toBe('');
    }
    expect(await type('docker image ls -q redis:8')).not.toBe('');
    expect(await type('./clear.sh')).toContain('Nothing to remove');
  });

  test('are not asked for where no engine answers, and the message says so', async () => {
    const { code, stderr } = await terminal.type('DOCKER_HOST=unix:///nonexistent/docker.sock ./build-run.sh --docker');
    expect(code).toBe(1);
    expect(stderr).toContain(`No Docker engine answers`);
    expect(stderr).toContain(`${root}build-run.sh --local`);
  });
});

describe.runIf(mode === 'docker')('the folder of a cluster', () => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
  const checkout = join(place, 'first');
  const key = `http://127.0.0.1:${environment['PROPOSER_1_PORT']}/kv/kept`;

  beforeAll(async () => {
    await clear();
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
    for (const file of files.split('\0').slice(0, -1)) cpSync(join(root, file), join(checkout, file));
    await type(`${checkout}/build-run.sh --detach`);
    await type('./node-control/run-control.sh add-accept all acceptor-1:6379 1');
    await type('./node-control/run-control.sh add-prepare all acceptor-1:6379 1');
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"ver":0,"val":1}' };
    expect((await fetch(key, put)).status).toBe(201);
  });
  // Where its folder is no more, this one may remove the cluster.
  afterAll(() => rmSync(place, { recursive: true }));

  const expectKept = async (): Promise<void> => {
    await expect.poll(async () => (await fetch(key)).status).toBe(200);
  };

  test('is the only one that starts it: another checkout refuses, names it, and says what to type', async () => {
    const { code, stderr } = await terminal.type('./build-run.sh --detach');
    expect(code).toBe(1);
    expect(stderr).toContain(`The Docker cluster ${project} belongs to another folder: ${checkout}\n`);
    expect(stderr).toContain(`COMPOSE_PROJECT_NAME=${project}-2 `);
    expect(stderr).toContain(`COMPOSE_PROJECT_NAME=${project} ${checkout}/clear.sh`);
    await expectKept();
  });

  test('is the only one that removes it: clear.sh of another checkout names it, and leaves it', async () => {
    const { code, stderr } = await terminal.type('./clear.sh');
    expect(code).toBe(1);
    expect(stderr).toContain(`The Docker cluster ${project} belongs to another folder, and stays: ${checkout}\n`);
    await expectKept();
  });

  test('may lose its secrets: the next start makes new ones, and every node again', async () => {
    expect(await type(`rm -r ${checkout}/.secrets && ${checkout}/build-run.sh --detach`)).toContain('they are made again. The data stays.');
    await type('./node-control/fault.sh kill acceptor-1 && ./node-control/fault.sh start acceptor-1');
    await expectKept();
    expect(await type(`${checkout}/build-run.sh --detach`)).not.toContain('made again');
  });

  test('may be given another name', async () => {
    const moved = join(place, 'a new name');
    await type(`${checkout}/build-run.sh --stop && mv ${checkout} '${moved}' && '${moved}/build-run.sh' --detach`);
    await expectKept();
  });

  test('is not said to have a cluster that answers where a node does not let another one in', async () => {
    const moved = join(place, 'a new name');
    const none = '0'.repeat(64);
    const { code, stderr } = await terminal.type(
      `sed -i.old 's/#[0-9a-f]*/#${none}/' '${moved}/.secrets/${project}/users.acl' && '${moved}/build-run.sh' --detach`,
    );
    expect(code).toBe(1);
    // Whom it asks first depends on who is up first.
    expect(stderr).toMatch(/acceptor-[123]: it says to (proposer|control): -WRONGPASS/);
    // Not only the first that was heard of: no acceptor lets anybody in, and each is named, whether it is up already or not.
    for (const acceptor of ['acceptor-1', 'acceptor-2', 'acceptor-3']) expect(stderr).toMatch(new RegExp(`^${acceptor}: `, 'm'));
    expect(stderr).toContain('Not every node answers');
  });
});
