import type { ProposerAdmin } from '../../node-control/nodes/connections.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { ABSENT, ballotTextIn } from '../../src/redis/holding.js';
import { MemoryAdmin } from '../../src/redis/memory-admin.js';
import type { Floor } from '../../src/protocol/acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import { ClusterError, PrepareError } from '../../src/protocol/errors.js';
import { type Answer, NetworkError } from '../../src/http/client.js';
import { refusalOf } from '../../src/http/refusal.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { Network } from './network.js';
import type { Process } from './process.js';
import type { ProposerNode, Running } from './proposer-node.js';

const REQUEST_TIMEOUT_MS = 1_000;
/** Keys of one page of SCAN, so that writes come between two pages. */
const PAGE_KEYS = 2;

/** What was asked, for the trace. What takes time to put together is put together where it is traced. */
type Asked = string | (() => string);
const textOf = (asked: Asked): string => (typeof asked === 'string' ? asked : asked());

/** A proposer's configuration port. */
export function adminAcross(network: Network, caller: Process, from: string, node: ProposerNode): ProposerAdmin {
  const call = async <Body>(request: Asked, act: (running: Running) => Promise<Body>): Promise<Answer<Body>> => {
    const answer = network.call<Answer<Body>>({
      caller,
      from,
      to: node.name,
      act: async () => act(node.running).then((body) => ({ ok: true, status: 200, body }), refusal),
      request: () => textOf(request),
      reply: (reply) => (reply.ok ? JSON.stringify(reply.body) : reply.code),
    });
    return inTime(caller, answer);
  };
  return {
    configuration: () => call('GET /configuration', async ({ store }) => store.configuration),
    identity: () => call('GET /identity', async ({ start }) => start),
    configure: (expectedEra, next) =>
      call(
        () => `PUT /configuration ${JSON.stringify(next)} at era ${expectedEra}`,
        ({ store }) => store.reconfigure(next, expectedEra),
      ),
    rescan: (era, keys) =>
      call(
        () => `POST /rescan ${keys.join(' ')} at era ${era}`,
        ({ store }) => store.rescan(era, keys),
      ),
    close: async () => undefined,
  };
}

/** What was sent arrives also when the sender has given up: only the acceptor closes a connection. */
export function acceptorAdminAcross(network: Network, caller: Process, from: string, node: AcceptorNode): AcceptorAdmin {
  const admin = new MemoryAdmin(node.memory, PAGE_KEYS);
  const call = <Reply>(request: Asked, act: () => Promise<Reply>, reply: (reply: Reply) => string, kind = ''): Promise<Reply> =>
    inTime(caller, network.call({ caller, from, to: node.name, kind, act: () => node.act(act), request: () => textOf(request), reply }));
  return {
    connect: () => admin.connect(),
    async *keys() {
      const pages = admin.keys();
      const next = (): Promise<IteratorResult<string[], unknown>> =>
        call(
          'SCAN',
          () => pages.next(),
          (page) => (page.done ? 'no more keys' : page.value.join(' ')),
        );
      for (let page = await next(); !page.done; page = await next()) yield page.value;
    },
    size: () => call('DBSIZE', () => admin.size(), String),
    highestEra: () => call('HGET', () => admin.highestEra(), String),
    identity: () =>
      call(
        'GET identity',
        () => admin.identity(),
        (identity) => identity ?? 'none',
      ),
    adopt: (identity) =>
      call(
        () => `SETNX identity ${identity}`,
        () => admin.adopt(identity),
        String,
      ),
    wipe: (whose) =>
      call(
        () => `FLUSHALL of ${whose?.identity ?? 'none'}`,
        async () => {
          const count = await admin.wipe(whose);
          node.wiped();
          return count;
        },
        (count) => `${count} keys removed`,
      ),
    floor: () => call('GET floor', () => admin.floor(), floorText),
    raiseFloor: (floor) =>
      call(
        () => `SET floor ${floorText(floor)}`,
        () => admin.raiseFloor(floor),
        () => 'raised',
      ),
    remains: (keys) =>
      call(
        () => `HMGET ${keys.join(' ')}`,
        () => admin.remains(keys),
        (remains) => remains.map((found) => (found ? `${formatBallot(found.ballot)} ${found.version ?? 'a value'}` : 'absent')).join(', '),
      ),
    erase: (era, tombstones) =>
      call(
        () => `UNLINK ${tombstones.map(({ key, ballot }) => `${key} at ${formatBallot(ballot)}`).join(', ')}`,
        async () => {
          const count = await admin.erase(era, tombstones);
          for (const { key } of tombstones) node.removed(key);
          return count;
        },
        (count) => `${count} keys removed`,
      ),
    holdings: (keys) =>
      call(
        () => `HMGET ballots of ${keys.join(' ')}`,
        () => admin.holdings(keys),
        (holdings) => holdings.map((found) => (found === ABSENT ? 'absent' : ballotTextIn(found) || 'a promise')).join(', '),
      ),
    accepted: (keys) =>
      call(
        () => `HMGET values of ${keys.join(' ')}`,
        () => admin.accepted(keys),
        (accepted) => accepted.map((found) => (found ? `${found.ballot} ${String(found.value)}` : 'absent')).join(', '),
      ),
    copy: (era, registers) =>
      call(
        () => `COPY at era ${era}: ${registers.map(({ key, ballot, value }) => `${key} at ${ballot} ${String(value)}`).join(', ')}`,
        () =>
          node.watched(
            registers.map(({ key }) => key),
            () => admin.copy(era, registers),
          ),
        (ballots) => ballots.map((ballot) => ballot || 'nothing').join(', '),
        'copy',
      ),
    close: () => undefined,
  };
}

const floorText = ({ era, version }: Floor): string => `${era}.${version}`;

/** Rejects as the HTTP client does if no answer comes. */
function inTime<Reply>(caller: Process, answer: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const cancel = caller.time.after(REQUEST_TIMEOUT_MS, () => reject(new NetworkError('no answer in time')));
    void answer.then(resolve, (error: unknown) => reject(new NetworkError(String(error)))).finally(cancel);
  });
}

/** What is no refusal of the product is a connection that broke. */
function refusal(error: unknown): Answer<never> {
  return refusalOf(error instanceof ClusterError ? error : new PrepareError(String(error)));
}
