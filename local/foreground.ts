import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ControlSocket, type ControlRequest } from './control-socket.js';
import { addressMap, layoutFrom, portsFrom, type Port } from './layout.js';
import { nodeSpecs } from './nodes.js';
import { requireFree } from './probe.js';
import { Reaper } from './reaper.js';
import { ACTIONS, Supervisor, type Action } from './supervisor.js';
import { makeFolder, sayWhy, Trouble, unwritable } from './trouble.js';

/** For the ports of a cluster whose supervisor crashed: its reaper is killing the nodes. */
const AFTER_CRASH_MS = 5_000;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs the cluster until a signal, or `stop`, ends it. Resolves with the exit code once nothing is left running.
 * Rejects with {@link Trouble} where the cluster cannot be started.
 *
 * @param banner printed once everything answers
 */
export async function runCluster(env: NodeJS.ProcessEnv, banner: string, timeoutMs: number): Promise<number> {
  const ports = portsFrom(env);
  makeFolder(layoutFrom(env).logs);
  const layout = layoutFrom(env);
  makeFolder(layout.heldNotes);
  const specs = nodeSpecs(layout, ports, env);

  let supervisor: Supervisor | undefined;
  const { control, wasStale } = await ControlSocket.claim(layout.socket, (request) => answer(supervisor, request));
  let reaper: Reaper | undefined;
  try {
    // A client goes on while the cluster is stopped, and keeps its port; its start is no node's.
    const ofNodes = ports.filter(({ node }) => node !== 'client');
    await requireFree(ofNodes, wasStale ? AFTER_CRASH_MS : 0);
    makeSecrets(layout);
    writeAddresses(layout.addressesFile, ports);
    reaper = new Reaper(path.join(layout.root, 'local/reaper.sh'));
    supervisor = new Supervisor(specs, reaper, say);
    const signalled = stopOnSignal(supervisor);
    const isUp = await supervisor.start(timeoutMs);
    if (isUp)
      say(`ready: three acceptors, two proposers and the control node answer; data and logs are in ${layout.folder}\n${banner}`.trimEnd());
    await supervisor.stopped;
    say('stopped; the data stays');
    return isUp ? 0 : 128 + signalled();
  } finally {
    await supervisor?.stop();
    await reaper?.close();
    await control.close();
  }
}

/** Returns the number of the signal that came, 0 where none did. */
function stopOnSignal(supervisor: Supervisor): () => number {
  let received = 0;
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      received ||= number;
      say(`${signal}: stopping all nodes`);
      void supervisor.stop();
    });
  }
  return () => received;
}

async function answer(supervisor: Supervisor | undefined, { action, node = '' }: ControlRequest): Promise<string> {
  if (action === 'ping') return `${supervisor?.state ?? 'starting'} ${process.pid}`;
  if (!supervisor) throw new Trouble('the cluster is still starting');
  if (action === 'nodes') return supervisor.describe();
  if (action === 'stop') {
    await supervisor.stop();
    return 'stopped; the data stays';
  }
  if (!isAction(action)) throw new Trouble(`unknown action "${action}": there are ${ACTIONS.join(', ')}`);
  return supervisor.act(action, node);
}

export function isAction(name: string): name is Action {
  return ACTIONS.some((action) => action === name);
}

function makeSecrets({ root, secrets }: ReturnType<typeof layoutFrom>): void {
  const { status, stderr } = spawnSync('bash', [path.join(root, 'node-control/scripts/make-secrets.sh'), secrets], { encoding: 'utf8' });
  if (status !== 0) throw unwritable(`make the secrets in ${secrets}`, stderr.trim());
  process.stderr.write(stderr);
}

/** In one step, so that nobody ever reads half of it. */
function writeAddresses(file: string, ports: readonly Port[]): void {
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(addressMap(ports), null, 2)}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw unwritable(`write ${file}`, sayWhy(error));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
