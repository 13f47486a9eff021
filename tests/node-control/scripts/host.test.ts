import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { portsFrom } from '../../../local/layout.js';
import { NODE_FLAGS } from '../../../local/nodes.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const place = realpathSync(mkdtempSync(join(tmpdir(), 'host-')));
/** A project of scripts alone, and what stands in for the programs of its host. */
const project = join(place, 'project');
const programs = join(place, 'programs');

beforeAll(() => {
  for (const path of [
    'build-run.sh',
    'clear.sh',
    'node-control/fault.sh',
    'node-control/run-control.sh',
    'node-control/scripts',
    'package.json',
    'package-lock.json',
  ])
    cpSync(join(root, path), join(project, path), { recursive: true });
  mkdirSync(programs);
});
afterAll(() => rmSync(place, { recursive: true }));

function standIn(name: string, script: string): void {
  writeFileSync(join(programs, name), `#!/usr/bin/env bash\n${script}\n`);
  chmodSync(join(programs, name), 0o755);
}

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function type(line: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const path = `${programs}:${process.env['PATH'] ?? ''}`;
  return new Promise((resolve) => {
    const options = { cwd: project, env: { ...process.env, PATH: path, CLUSTER: '', CLUSTER_DIR: '', ...env } };
    const child = execFile('bash', ['-c', line], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout, stderr }),
    );
  });
}

describe('a Docker engine that this user may not use', () => {
  beforeEach(() => {
    standIn(
      'docker',
      'echo "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2; exit 1',
    );
    standIn('id', 'case "$*" in -un) echo reader ;; *-nG*) cat "${0%/*}/groups" ;; *) exec /usr/bin/id "$@" ;; esac');
    writeFileSync(join(programs, 'groups'), 'reader sudo\n');
  });

  it('is not told as one that does not run: the start says what to type', async () => {
    const { code, stderr } = await type('./build-run.sh --docker');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'A Docker engine runs, but reader may not use it. Type, and log in again: sudo usermod -aG docker reader, ' +
        `or run the cluster without: ${project}/build-run.sh --local\n`,
    );
  });

  it('needs another login only, where the user is in the group by now', async () => {
    writeFileSync(join(programs, 'groups'), 'reader docker sudo\n');
    expect((await type('./build-run.sh --docker')).stderr).toContain('may not use it. Type: newgrp docker, or run');
  });

  it('may have a cluster, say the commands and clear.sh', async () => {
    const { code, stderr } = await type('./node-control/run-control.sh ls');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^A Docker engine runs, but reader may not use it: whether a cluster runs there is not known\. Type, and log in/,
    );
    expect(stderr).toContain('No cluster runs');
    expect((await type('./clear.sh')).stderr).toMatch(/may not use it: what it may hold stays\. Type, and log in again: /);
  });

  it('is not taken for one that has just died', async () => {
    standIn('docker', 'echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1');
    expect((await type('./build-run.sh --docker')).stderr).toMatch(
      /^No Docker engine answers\. Start it \("docker version" says what is wrong\), or run/,
    );
  });
});

describe('a checkout by a git that makes CRLF of line ends', () => {
  it('has scripts that a shell reads, and acceptors that Redis reads', () => {
    const checkout = join(place, 'checkout');
    execFileSync('git', ['-c', 'core.autocrlf=true', '-c', 'core.eol=crlf', 'clone', '--quiet', root, checkout]);
    for (const file of [
      'build-run.sh',
      'acceptor/start.sh',
      'acceptor/redis.conf',
      'acceptor/accept.lua',
      'docs/transcripts/collection.txt',
    ]) {
      expect(readFileSync(join(checkout, file), 'utf8'), file).not.toContain('\r');
    }
  });
});

it('a proposer that ends each time it is started is not said to be started', async () => {
  standIn(
    'docker',
    `case "$*" in
      ps*) echo container ;;
      inspect*RestartCount*) tail -n 1 "$0.restarts" && echo 1 >>"$0.restarts" ;;
      inspect*StartedAt*) wc -l <"$0.restarts" ;;
      inspect*Status*) echo exited ;;
      exec*) [ -e "$0.serves" ] ;;
      # The next start has not said anything yet.
      'logs --since '*2' '*) echo 'configuration.json is torn' ;;
    esac`,
  );
  writeFileSync(join(programs, 'docker.restarts'), '0\n');
  const start = 'CLUSTER=docker node-control/fault.sh start proposer-2';
  const broken = await type(start);
  expect([broken.code, broken.stdout]).toEqual([1, '']);
  expect(broken.stderr).toMatch(
    /^configuration\.json is torn\nproposer-2 ends as soon as it is started.*: \S+fault\.sh kill proposer-2\n$/,
  );
  writeFileSync(join(programs, 'docker.serves'), '');
  expect(await type(start)).toEqual({ code: 0, stdout: 'proposer-2 started\n', stderr: '' });
});

it('a port that another program has is found before anything is compiled', async () => {
  standIn('docker', 'exit 1');
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const { port: taken } = other.address() as AddressInfo;
  // Clients go on while the cluster is stopped, and keep theirs.
  const all = portsFrom({});
  const ports = all.filter(({ node }) => node !== 'client');
  const { code, stdout, stderr } = await type(
    './build-run.sh --local',
    Object.fromEntries(all.map(({ variable }) => [variable, String(taken)])),
  );
  other.close();
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr.trimEnd().split('\n')).toEqual(
    ports.map(
      ({ node, variable }) =>
        `port ${taken}, for ${node}, is taken by another program: end that program, or give another port with ${variable}=…`,
    ),
  );
  const script = readFileSync(join(project, 'node-control/scripts/local-cluster.sh'), 'utf8');
  for (const { variable, port } of ports) expect(script).toMatch(new RegExp(`\\b${variable}=${port}\\b`));
});

describe('the build for this host', () => {
  const said = join(place, 'npm.txt');
  const build = '. node-control/scripts/cluster.sh && build_for_host';
  /** As npm does it: without the packages for development where the environment says so, unless it is told otherwise. */
  const npm = `echo "$*" >>'${said}'
    if [ "$1" != ci ]; then mkdir -p dist && touch dist/.built; exit; fi
    mkdir -p node_modules/.bin && touch node_modules/.package-lock.json
    if [ "\${NODE_ENV:-}" != production ] || [ "\${2:-}" = --include=dev ]; then touch node_modules/.bin/tsc; fi`;
  const compiler = join(project, 'node_modules/.bin/tsc');

  beforeEach(() => {
    standIn('npm', npm);
    for (const path of [said, join(project, 'node_modules'), join(project, 'dist')]) rmSync(path, { recursive: true, force: true });
  });

  it('has its compiler, also with NODE_ENV=production in the environment', async () => {
    expect(await type(build, { NODE_ENV: 'production' })).toMatchObject({ code: 0 });
    expect(existsSync(compiler)).toBe(true);
  });

  it('installs again where an installation has left the compiler out, and only then', async () => {
    await type('npm ci', { NODE_ENV: 'production' });
    expect(existsSync(compiler)).toBe(false);
    for (let start = 0; start < 2; start += 1) expect(await type(build, { NODE_ENV: 'production' })).toMatchObject({ code: 0 });
    const installations = readFileSync(said, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('ci'));
    expect(installations).toEqual(['ci', 'ci --include=dev']);
  });

  it('is made once where several are typed at a time, and nobody runs what is half of it', async () => {
    const slow = npm.replace('touch dist/.built', 'touch dist/half && sleep 1 && rm dist/half && touch dist/.built');
    standIn('npm', slow);
    const afterwards = await Promise.all([1, 2, 3].map(() => type(`${build} && ! [ -e dist/half ]`)));
    expect(afterwards.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readFileSync(said, 'utf8')).toBe('ci --include=dev\nrun --silent build\n');
  });

  it('is made again after a change in any folder that is compiled', () => {
    const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { include: string[] };
    const [, watched = ''] =
      /find (.*) package\.json/.exec(readFileSync(join(project, 'node-control/scripts/local-cluster.sh'), 'utf8')) ?? [];
    expect(watched.split(' ').toSorted()).toEqual(include.toSorted());
  });

  it('is made although one that made it was killed', async () => {
    const dead = execFileSync('bash', ['-c', 'echo $$'], { encoding: 'utf8' });
    mkdirSync(join(project, 'dist'));
    writeFileSync(join(project, 'dist/.building'), dead);
    expect(await type(build)).toMatchObject({ code: 0 });
    expect(existsSync(join(project, 'dist/.building'))).toBe(false);
  });

  it('is not waited for where nothing can be written', async () => {
    mkdirSync(join(project, 'dist/.building'), { recursive: true });
    expect(await type(build)).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing can be written to') as string });
  });

  it('needs packages for development in the images, too', () => {
    for (const file of ['Dockerfile.client', 'Dockerfile.proposer']) {
      const installs = readFileSync(join(root, file), 'utf8')
        .split('\n')
        .filter((line) => line.includes('npm ci'));
      expect(installs).toEqual(['RUN npm ci --include=dev', 'RUN npm ci --omit=dev']);
    }
  });

  it('runs with the same flags in the images as with local processes', () => {
    for (const file of ['Dockerfile.client', 'Dockerfile.proposer']) {
      expect(readFileSync(join(root, file), 'utf8')).toContain(`\nENV NODE_OPTIONS=${NODE_FLAGS.join(' ')}\n`);
    }
  });
});
