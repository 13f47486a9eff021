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

/** A command to an acceptor: what is asked, what is done there, and what is told then; for the trace. */
interface Asking<Reply> {
  readonly ask: Asked;
  readonly act: () => Promise<Reply>;
  readonly told: (reply: Reply) => string;
  readonly kind?: string;
}

/** What was sent arrives also when the sender has given up: only the acceptor closes a connection. */
export function acceptorAdminAcross(network: Network, caller: Process, from: string, node: AcceptorNode): AcceptorAdmin {
  const admin = new MemoryAdmin(node.memory, PAGE_KEYS);
  const call = <Reply>({ ask, act, told: reply, kind = '' }: Asking<Reply>): Promise<Reply> =>
    inTime(caller, network.call({ caller, from, to: node.name, kind, act: () => node.act(act), request: () => textOf(ask), reply }));
  return {
    connect: () => admin.connect(),
    async *keys() {
      const pages = admin.keys();
      const next = (): Promise<IteratorResult<string[], unknown>> =>
        call({ ask: 'SCAN', act: () => pages.next(), told: (page) => (page.done ? 'no more keys' : page.value.join(' ')) });
      for (let page = await next(); !page.done; page = await next()) yield page.value;
    },
    size: () => call({ ask: 'DBSIZE', act: () => admin.size(), told: String }),
    highestEra: () => call({ ask: 'HGET', act: () => admin.highestEra(), told: String }),
    identity: () => call({ ask: 'GET identity', act: () => admin.identity(), told: (identity) => identity ?? 'none' }),
    adopt: (identity) => call({ ask: () => `SETNX identity ${identity}`, act: () => admin.adopt(identity), told: String }),
    wipe: (whose) => {
      const act = async (): Promise<number> => {
        const count = await admin.wipe(whose);
        node.wiped();
        return count;
      };
      return call({ ask: () => `FLUSHALL of ${whose?.identity ?? 'none'}`, act, told: removedText });
    },
    floor: () => call({ ask: 'GET floor', act: () => admin.floor(), told: floorText }),
    raiseFloor: (floor) => call({ ask: () => `SET floor ${floorText(floor)}`, act: () => admin.raiseFloor(floor), told: () => 'raised' }),
    remains: (keys) =>
      call({
        ask: () => `HMGET ${keys.join(' ')}`,
        act: () => admin.remains(keys),
        told: (remains) =>
          remains.map((found) => (found ? `${formatBallot(found.ballot)} ${found.version ?? 'a value'}` : 'absent')).join(', '),
      }),
    erase: (era, tombstones) => {
      const ask = (): string => `UNLINK ${tombstones.map(({ key, ballot }) => `${key} at ${formatBallot(ballot)}`).join(', ')}`;
      const act = async (): Promise<number> => {
        const count = await admin.erase(era, tombstones);
        for (const { key } of tombstones) node.removed(key);
        return count;
      };
      return call({ ask, act, told: removedText });
    },
    holdings: (keys) =>
      call({
        ask: () => `HMGET ballots of ${keys.join(' ')}`,
        act: () => admin.holdings(keys),
        told: (holdings) => holdings.map((found) => (found === ABSENT ? 'absent' : ballotTextIn(found) || 'a promise')).join(', '),
      }),
    accepted: (keys) =>
      call({
        ask: () => `HMGET values of ${keys.join(' ')}`,
        act: () => admin.accepted(keys),
        told: (accepted) => accepted.map((found) => (found ? `${found.ballot} ${String(found.value)}` : 'absent')).join(', '),
      }),
    copy: (era, registers) => {
      const keys = registers.map(({ key }) => key);
      return call({
        ask: () => `COPY at era ${era}: ${registers.map(({ key, ballot, value }) => `${key} at ${ballot} ${String(value)}`).join(', ')}`,
        act: () => node.watched(keys, () => admin.copy(era, registers)),
        told: (ballots) => ballots.map((ballot) => ballot || 'nothing').join(', '),
        kind: 'copy',
      });
    },
    close: () => undefined,
  };
}

const removedText = (count: number): string => `${count} keys removed`;
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
