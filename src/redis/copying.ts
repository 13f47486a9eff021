import type { Copied } from './acceptor-admin.js';
import { ABSENT, ballotTextIn, type Holding, valueBytesIn } from './holding.js';
import { REGISTER_PREFIX } from './keys.js';
import { Script, type Sender } from './sender.js';

/*
 * How registers of an acceptor that is a Redis are copied (paper, section 2.3.3; docs/protocol.md, "Copying"). `memory-copying.ts` is the same for an
 * acceptor in memory.
 */

/** ARGV: registers. The `Holding` of each, with spaces between: one text is read sooner than many. */
const HOLDINGS = new Script(
  `
  local holdings = {}
  for index, register in ipairs(ARGV) do
    local stored = redis.call('HMGET', register, 'promise', 'ballot', 'value')
    holdings[index] = stored[1] and (stored[2] or '') .. ':' .. #(stored[3] or '') or '-'
  end
  return table.concat(holdings, ' ')
`,
  0,
);

/** ARGV: registers. Their holdings as above, and all the values, one after the other. */
const ACCEPTED = new Script(
  `
  local holdings, values = {}, {}
  for index, register in ipairs(ARGV) do
    local stored = redis.call('HMGET', register, 'promise', 'ballot', 'value')
    values[index] = stored[3] or ''
    holdings[index] = stored[1] and (stored[2] or '') .. ':' .. #values[index] or '-'
  end
  return { table.concat(holdings, ' '), table.concat(values) }
`,
  0,
);

/**
 * Takes a value under the ballot that it was accepted under elsewhere: what an accept of that ballot would do that comes late.
 * KEYS: the register, and the floor beside it. ARGV: the era of the run that copies, the ballot, the value.
 * Returns 1 if it took the value, else the accepted ballot. One write command.
 */
const COPY = new Script(
  `
  local function above(a, b)
    if b == '' then return a ~= '' end
    if a == '' then return false end
    local a1, a2, a3, a4 = string.match(a, '^(%d+)%.(%d+)%.(%d+)%.(%d+)$')
    local b1, b2, b3, b4 = string.match(b, '^(%d+)%.(%d+)%.(%d+)%.(%d+)$')
    if a1 ~= b1 then return tonumber(a1) > tonumber(b1) end
    if a2 ~= b2 then return tonumber(a2) > tonumber(b2) end
    if a3 ~= b3 then return tonumber(a3) > tonumber(b3) end
    return tonumber(a4) > tonumber(b4)
  end
  local stored = redis.call('HMGET', KEYS[1], 'promise', 'ballot')
  local promise, accepted = stored[1] or '', stored[2] or ''
  local floorEra = string.match(redis.call('GET', KEYS[2]) or '', '^(%d+)%.')
  if floorEra and tonumber(floorEra) > tonumber(ARGV[1]) or above(promise, ARGV[2]) or not above(ARGV[2], accepted) then return accepted end
  local least = floorEra and floorEra .. '.0.0.0' or ''
  redis.call('HSET', KEYS[1], 'promise', above(least, ARGV[2]) and least or ARGV[2], 'ballot', ARGV[2], 'value', ARGV[3])
  return 1
`,
  2,
);

export async function holdingsIn(sender: Sender, keys: readonly string[]): Promise<Holding[]> {
  return (await sender.run<string>(HOLDINGS, registersOf(keys))).split(' ');
}

export async function acceptedIn(sender: Sender, keys: readonly string[]): Promise<(Copied | undefined)[]> {
  const [text, values] = await sender.run<[string, string]>(ACCEPTED, registersOf(keys));
  const holdings = text.split(' ');
  const valueAt = partsOf(values);
  let bytes = 0;
  // Bytes that are no text become others: cut at the places told, each value after them would be a piece of two.
  if (holdings.reduce((sum, holding) => sum + valueBytesIn(holding), 0) !== Buffer.byteLength(values))
    throw new Error('a value is no text');
  return holdings.map((holding, index) => {
    if (holding === ABSENT) return undefined;
    const from = bytes;
    bytes += valueBytesIn(holding);
    return { key: keys[index] ?? '', ballot: ballotTextIn(holding), value: bytes > from ? valueAt(from, bytes) : null };
  });
}

/** Cuts a text at places that are counted in bytes. */
function partsOf(text: string): (from: number, to: number) => string {
  if (Buffer.byteLength(text) === text.length) return (from, to) => text.slice(from, to);
  const bytes = Buffer.from(text);
  return (from, to) => bytes.toString('utf8', from, to);
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
): Promise<string[]> {
  const eraText = String(era);
  const calls = registers.map(({ key, ballot, value }) => {
    const register = REGISTER_PREFIX + key;
    return [register, floorKeyOf(register), eraText, ballot, value ?? ''];
  });
  const answers = await sender.runAll<string | 1>(COPY, calls);
  return registers.map(({ ballot }, index) => {
    const answer = answers[index] ?? '';
    return answer === 1 ? ballot : answer;
  });
}

function registersOf(keys: readonly string[]): string[] {
  return keys.map((key) => REGISTER_PREFIX + key);
}
