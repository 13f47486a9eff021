import type { Accepted } from '../protocol/acceptor.js';
import { type Ballot, formatBallot, parseBallot } from '../protocol/ballot.js';
import type { Copied, Holding } from './acceptor-admin.js';
import { REGISTER_PREFIX } from './keys.js';
import { Script, type Sender } from './sender.js';

/*
 * How registers of an acceptor that is a Redis are copied (paper, section 2.3.3; docs/protocol.md, "Copying"). `memory-copying.ts` is the same for an
 * acceptor in memory.
 */

/** ARGV: registers. For each: false if it is absent, else the accepted ballot and the length of the value in bytes. */
const HOLDINGS = new Script(
  `
  local holdings = {}
  for index, register in ipairs(ARGV) do
    local stored = redis.call('HMGET', register, 'promise', 'ballot', 'value')
    holdings[index] = stored[1] and { stored[2] or '', #(stored[3] or '') } or false
  end
  return holdings
`,
  0,
);

/** ARGV: registers. For each: false if it is absent, else the accepted ballot and value. */
const ACCEPTED = new Script(
  `
  local accepted = {}
  for index, register in ipairs(ARGV) do
    local stored = redis.call('HMGET', register, 'promise', 'ballot', 'value')
    accepted[index] = stored[1] and { stored[2] or '', stored[3] or '' } or false
  end
  return accepted
`,
  0,
);

/**
 * Takes a value under the ballot that it was accepted under elsewhere: what an accept of that ballot would do that comes late.
 * KEYS: the register, and the floor beside it. ARGV: the era of the run that copies, the ballot, the value.
 * Returns the accepted ballot then. One write command.
 */
const COPY = new Script(
  `
  local function above(a, b)
    local ballot = '^(%d+)%.(%d+)%.(%d+)%.(%d+)$'
    local left, right = { string.match(a, ballot) }, { string.match(b, ballot) }
    for part = 1, 4 do
      local x, y = tonumber(left[part] or 0), tonumber(right[part] or 0)
      if x ~= y then return x > y end
    end
    return false
  end
  local stored = redis.call('HMGET', KEYS[1], 'promise', 'ballot')
  local promise, accepted = stored[1] or '', stored[2] or ''
  local floorEra = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)%.') or '0'
  if tonumber(floorEra) > tonumber(ARGV[1]) or above(promise, ARGV[2]) or not above(ARGV[2], accepted) then return accepted end
  local least = floorEra .. '.0.0.0'
  redis.call('HSET', KEYS[1], 'promise', above(least, ARGV[2]) and least or ARGV[2], 'ballot', ARGV[2], 'value', ARGV[3])
  return ARGV[2]
`,
  2,
);

export async function holdingsIn(sender: Sender, keys: readonly string[]): Promise<(Holding | undefined)[]> {
  const found = await sender.run<([ballot: string, bytes: number] | null)[]>(HOLDINGS, registersOf(keys));
  return keys.map((_, index) => {
    const [ballot, valueBytes = 0] = found[index] ?? [];
    return ballot === undefined ? undefined : { ballot: parseBallot(ballot), valueBytes };
  });
}

export async function acceptedIn(sender: Sender, keys: readonly string[]): Promise<(Accepted | undefined)[]> {
  const found = await sender.run<([ballot: string, value: string] | null)[]>(ACCEPTED, registersOf(keys));
  return keys.map((_, index) => {
    const [ballot, value] = found[index] ?? [];
    return ballot === undefined ? undefined : { ballot: parseBallot(ballot), value: value === '' ? null : (value ?? null) };
  });
}

/**
 * One command for each register: a script with several writes is a transaction in the file, which may be torn (docs/acceptors.md).
 * @param floorKeyOf the floor that a register is under
 */
export async function copyInto(
  sender: Sender,
  era: number,
  registers: readonly Copied[],
  floorKeyOf: (register: string) => string,
): Promise<Ballot[]> {
  sender.gather();
  const sent = registers.map(({ key, ballot, value }) => {
    const register = REGISTER_PREFIX + key;
    return sender.run<string>(COPY, [register, floorKeyOf(register), String(era), formatBallot(ballot), value ?? '']);
  });
  return (await Promise.all(sent)).map(parseBallot);
}

function registersOf(keys: readonly string[]): string[] {
  return keys.map((key) => REGISTER_PREFIX + key);
}
