/* What the control node asks of an acceptor that is a Redis as a whole. `memory-admin.ts` is the same for an acceptor in memory. */

/** ARGV: the keys beside the registers. Returns how many other keys there are. */
export const SIZE = `
  local size = redis.call('DBSIZE')
  for _, key in ipairs(ARGV) do size = size - redis.call('EXISTS', key) end
  return size
`;

/** ARGV: the identity to give, then the keys that hold identities. */
export const ADOPT = `
  for index = 2, #ARGV do redis.call('SETNX', ARGV[index], ARGV[1]) end
`;

/**
 * In one step: a wipe that comes late finds the acceptor under the identity that it was meant for, or does nothing.
 * ARGV: the identities that may be there, each between bars ("" if none is there), or "" for any; how many keys hold identities; these keys; and
 * the other keys beside the registers.
 */
export const WIPE = `
  local expected, size, last = ARGV[1], redis.call('DBSIZE'), 2 + tonumber(ARGV[2])
  for index = 3, last do
    local identity = redis.call('GET', ARGV[index])
    if identity then size = size - 1 end
    if expected ~= '' and not string.find(expected, '|' .. (identity or '') .. '|', 1, true) then return -1 end
  end
  for index = last + 1, #ARGV do size = size - redis.call('EXISTS', ARGV[index]) end
  redis.call('FLUSHALL', 'SYNC')
  return size
`;

/** ARGV: keys that hold identities, or floors. What stands there, each once; "" for a key that is absent. */
export const DISTINCT = `
  local distinct, seen = {}, {}
  for index = 1, #ARGV do
    local text = redis.call('GET', ARGV[index]) or ''
    if not seen[text] then
      seen[text] = true
      distinct[#distinct + 1] = text
    end
  end
  return distinct
`;
