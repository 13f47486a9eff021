import { Command, CommanderError } from 'commander';
import { fileURLToPath } from 'node:url';
import { ask, type ControlReply, type ControlRequest } from './control-socket.js';
import { runDetached } from './detached.js';
import { isAction, runCluster } from './foreground.js';
import { layoutFrom, NODES } from './layout.js';
import { ACTIONS } from './supervisor.js';
import { isSystemError, Trouble } from './trouble.js';

const PING_TIMEOUT_MS = 2_000;
/** Longer than the supervisor gives a node to answer. */
const NODE_TIMEOUT_MS = 20_000;
/** Longer than the grace of the proposers and that of the acceptors together. */
const STOP_TIMEOUT_MS = 20_000;
const START_TIMEOUT_SECONDS = 60;
const USAGE_ERROR = 2;

const layout = layoutFrom(process.env);
/** Named in the order of `path`'s help. */
const PATHS = new Map([
  ['folder', layout.folder],
  ['addresses', layout.addressesFile],
  ['socket', layout.socket],
  ['logs', layout.logs],
]);

const program = new Command('local')
  .description('The demo cluster as local processes: three redis-server, two proposers, the control node and their supervisor.')
  .addHelpText(
    'after',
    `
Environment:
  CLUSTER_DIR            data, logs and socket (default .cluster in the repository)
  ACCEPTOR_1_PORT …_3_PORT, PROPOSER_1_PORT …_2_PORT, PROPOSER_1_ADMIN_PORT …_2_ADMIN_PORT,
  CONTROL_PORT, CLIENT_PORT
                         ports on 127.0.0.1 (default 16379-16381, 8081-8082, 8091-8092, 8080, 8070)

Exit code: 0 done, 1 not done and why, 2 not understood.`,
  )
  .exitOverride();

program
  .command('start')
  .description('start the cluster and stay in the foreground; Ctrl-C stops it, the data stays')
  .option('--detach', 'return once everything answers, and leave the cluster running')
  .option('--banner <text>', 'printed once everything answers', '')
  .option('--timeout <seconds>', 'how long the nodes may take to answer', seconds, START_TIMEOUT_SECONDS)
  .action(async ({ detach, banner, timeout }: { detach?: true; banner: string; timeout: number }) => {
    const args = [fileURLToPath(import.meta.url), 'start', '--banner', banner, '--timeout', String(timeout)];
    process.exitCode = await (detach ? runDetached(layout, args) : runCluster(process.env, banner, timeout * 1_000));
  });

program
  .command('node')
  .description(`break or mend a node: ${ACTIONS.join(', ')}`)
  .argument('<action>', ACTIONS.join(' | '))
  .argument('<node>', NODES.join(' | '))
  .action(async (action: string, node: string) => {
    if (!isAction(action)) throw new Trouble(`unknown action "${action}": there are ${ACTIONS.join(', ')}`);
    if (!NODES.includes(node)) throw new Trouble(`unknown node "${node}": there are ${NODES.join(', ')}`);
    print(await request({ action, node }, NODE_TIMEOUT_MS));
  });

program
  .command('nodes')
  .description('each node with its standing and its process')
  .action(async () => print(await request({ action: 'nodes' }, PING_TIMEOUT_MS)));

program
  .command('running')
  .description('exit 0 if the cluster runs, 1 if not; prints nothing')
  .action(async () => {
    const reply = await ask(layout.socket, { action: 'ping' }, PING_TIMEOUT_MS).catch(() => undefined);
    process.exitCode = reply?.ok ? 0 : 1;
  });

program
  .command('stop')
  .description('stop the cluster and wait until nothing of it runs; the data stays')
  .action(async () => print(await request({ action: 'stop' }, STOP_TIMEOUT_MS)));

program
  .command('path')
  .description('print where something is')
  .argument('<what>', [...PATHS.keys()].join(' | '))
  .action((what: string) => {
    const path = PATHS.get(what);
    if (path === undefined) throw new Trouble(`unknown path "${what}": there are ${[...PATHS.keys()].join(', ')}`);
    print(path);
  });

async function request(what: ControlRequest, timeoutMs: number): Promise<string> {
  const reply: ControlReply | undefined = await ask(layout.socket, what, timeoutMs);
  if (!reply) throw new Trouble('no local cluster runs on this data folder: start it with ./build-run.sh --local');
  if (!reply.ok) throw new Trouble(reply.message);
  return reply.message;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new CommanderError(USAGE_ERROR, 'seconds', `error: --timeout takes seconds, not "${text}"`);
  return value;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A reader that goes away, `start | head`, ends neither the cluster nor a command. */
process.stdout.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.code === 'seconds') process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR;
  } else if (error instanceof Trouble || isSystemError(error, 'EACCES', 'ENOSPC', 'EROFS', 'ENOTDIR', 'EEXIST')) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  } else throw error;
}
// Not before: the supervisor still holds connections that wait for its end.
process.exit();
