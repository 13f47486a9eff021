import type { Redis } from 'ioredis';
import { parseAddress } from '../node/addresses.js';
import { layoutFrom } from './cluster-layout.js';
import { UNCOPIED } from './fitness.js';
import { BEATS_KEY, ERAS_KEY, FLOOR_KEY, IDENTITY_KEY, REGISTER_PREFIX } from './keys.js';
import type { Rights } from '../store/rights.js';
import { connectRedis, type RedisAccess } from './redis-connection.js';
import { isLackOfRight } from './refusals.js';

/*
 * The users of earlier versions may not ask what they may do (ACL DRYRUN), so each command is tried, in a form that changes nothing: the server looks at
 * the rights first, and then refuses the command for its arguments. docs/acceptors.md says on which servers this was run.
 */

/** By what it needs. What a prepare and an accept do. */
const OF_ROUNDS: Readonly<Record<string, string>> = {
  '+hmget ~r:*': `HMGET ${REGISTER_PREFIX} promise`,
  '+hset ~r:*': `HSET ${REGISTER_PREFIX} promise 0 ballot`,
  [`+get ~${IDENTITY_KEY}`]: `GET ${IDENTITY_KEY}`,
  [`+get ~${IDENTITY_KEY}:*`]: `GET ${FLOOR_KEY}`,
};

/** What a greeting does besides. */
const OF_GREETINGS: Readonly<Record<string, string>> = {
  [`+mget ~${IDENTITY_KEY} ~${BEATS_KEY}`]: `MGET ${IDENTITY_KEY} ${BEATS_KEY}`,
  [`+set ~${BEATS_KEY}`]: `SET ${BEATS_KEY} 0 no-such-option`,
  [`+set ~${IDENTITY_KEY}`]: `SET ${IDENTITY_KEY} 0 no-such-option`,
  [`+hmget ~${ERAS_KEY}`]: `HMGET ${ERAS_KEY} 0`,
  [`+hset ~${ERAS_KEY}`]: `HSET ${ERAS_KEY} 0 0 1`,
};

/** What the control node does besides where it copies registers; it may read all that is here. */
const OF_COPYING: Readonly<Record<string, string>> = { '(~r:* +hset)': `HSET ${REGISTER_PREFIX} promise 0 ballot` };

/** What it does to see whether a proposer is left out of `PROPOSERS`. */
const OF_ERAS: Readonly<Record<string, string>> = { [`(~${ERAS_KEY} +hgetall)`]: `HGETALL ${ERAS_KEY}` };

/** ARGV: commands. What the server says to each: the error, or "". */
const TRY = `
  local errors = {}
  for index, command in ipairs(ARGV) do
    local words = {}
    for word in string.gmatch(command, '%S+') do words[#words + 1] = word end
    local answer = redis.pcall(unpack(words))
    errors[index] = type(answer) == 'table' and answer.err or ''
  end
  return errors
`;

/**
 * Looks at what a proposer's user may do at an acceptor that it is about to use, at every node of one that is a Redis Cluster. Writes nothing.
 *
 * @param access of that user
 * @param timeoutMs for each connection and each command
 * @throws if the acceptor cannot be asked in time
 */
export async function lookAtRights(address: string, access: RedisAccess, timeoutMs: number): Promise<Rights> {
  const user = access.username ?? 'default';
  const { isCluster } = parseAddress(address);
  const lacking = new Set<string>();
  try {
    await overConnection(address, access, timeoutMs, async (redis) => {
      for (const right of await lackingAt(redis, address)) lacking.add(right);
      if (!isCluster) return;
      if (await isRefused(redis.cluster('NODES'))) {
        lacking.add('+cluster|nodes');
        return;
      }
      const { owners } = await layoutFrom(redis, address);
      const others = owners.filter((owner) => owner.address !== address);
      for (const other of others) {
        const rights = await overConnection(other.address, access, timeoutMs, (node) => lackingAt(node, other.address));
        for (const right of rights) lacking.add(right);
      }
    });
  } catch (error) {
    if (!(error instanceof LoginRefused)) throw error;
    return { user, lacking: [], refusal: error.message };
  }
  return { user, lacking: [...lacking] };
}

/** The remark on an acceptor to which the control node's user may not copy registers; undefined if it may. A rescan does without. */
export async function copyingRemark(redis: Redis, user = 'default'): Promise<string | undefined> {
  const isByHash = !(await isRefused(redis.evalsha('0'.repeat(40), 0)));
  const lacking = [...(isByHash ? [] : ['+evalsha']), ...(await lackingInScripts(redis, OF_COPYING))];
  if (lacking.length === 0) return undefined;
  const mend = `ACL SETUSER ${user} ${lacking.join(' ')}, and the same in its users.acl`;
  return `the control node's user ${user} lacks ${lacking.join(', ')} ${UNCOPIED}: ${mend}`;
}

/** The remark on an acceptor that does not tell the control node's user which eras proposers have; undefined if it does. */
export async function erasRemark(redis: Redis, user = 'default'): Promise<string | undefined> {
  const lacking = await lackingInScripts(redis, OF_ERAS);
  if (lacking.length === 0) return undefined;
  const mend = `ACL SETUSER ${user} ${lacking.join(' ')}, and the same in its users.acl`;
  return `the control node's user ${user} lacks ${lacking.join(', ')} to see whether PROPOSERS leaves a proposer out: ${mend}`;
}

/** The server does not take the name and the password. */
class LoginRefused extends Error {}

async function overConnection<Result>(
  address: string,
  access: RedisAccess,
  timeoutMs: number,
  task: (redis: Redis) => Promise<Result>,
): Promise<Result> {
  const redis = connectRedis(address, timeoutMs, access, { lazyConnect: true, retryStrategy: () => null });
  let refusal: string | undefined;
  // Of a login that fails ioredis tells the reason here only.
  redis.on('error', ({ message }: Error) => (refusal ??= /^(WRONGPASS|NOAUTH)/.test(message) ? message : undefined));
  try {
    await redis.connect();
    return await task(redis);
  } catch (error) {
    throw refusal === undefined ? error : new LoginRefused(refusal);
  } finally {
    redis.disconnect();
  }
}

async function lackingAt(redis: Redis, address: string): Promise<string[]> {
  const lacking: string[] = [];
  const note = async (right: string, asked: Promise<unknown>): Promise<boolean> => {
    const isLacking = await isRefused(asked);
    if (isLacking) lacking.push(right);
    return isLacking;
  };
  await note('+info', redis.info());
  if (parseAddress(address).isConfigAsked) await note('+config|get', redis.config('GET', 'appendfsync'));
  await note('+evalsha', redis.evalsha('0'.repeat(40), 0));
  if (await note('+eval', redis.eval('return 1', 0))) return lacking;
  lacking.push(...(await lackingInScripts(redis, OF_ROUNDS)));
  const rounds = [REGISTER_PREFIX, IDENTITY_KEY, FLOOR_KEY];
  if (lacking.length === 0) await note(`~r:* ~${IDENTITY_KEY} ~${IDENTITY_KEY}:*`, redis.eval('return 1', rounds.length, ...rounds));
  // Who may not touch these is a user of a version before greetings: it is used without them, and its proposers say so.
  const greetings = [BEATS_KEY, ERAS_KEY];
  if (!(await isRefused(redis.eval('return 1', greetings.length, ...greetings))))
    lacking.push(...(await lackingInScripts(redis, OF_GREETINGS)));
  return lacking;
}

async function lackingInScripts(redis: Redis, tries: Readonly<Record<string, string>>): Promise<string[]> {
  const errors = (await redis.eval(TRY, 0, ...Object.values(tries))) as string[];
  return Object.keys(tries).filter((_, index) => isLackOfRight(errors[index] ?? ''));
}

/** Whether the user lacks the right. Any other answer of the server says that it has it. */
async function isRefused(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return false;
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ReplyError')) throw error;
    return isLackOfRight(error.message);
  }
}
