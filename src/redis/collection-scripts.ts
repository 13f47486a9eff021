/*
 * What the control node asks of an acceptor that is a Redis when it collects (paper, section 3.1; docs/protocol.md, "Deletion"). `memory-collection.ts`
 * is the same for an acceptor in memory.
 */

/** KEYS: where a floor is kept. ARGV: an era and a version. Neither part of a floor is ever lowered. One write command. */
export const RAISE_FLOOR = `#!lua flags=allow-oom
  local function larger(a, b) if tonumber(a) >= tonumber(b) then return a else return b end end
  local present = redis.call('GET', KEYS[1])
  local era, version = string.match(present or '0.0', '^(%d+)%.(%d+)$')
  local raised = larger(era, ARGV[1]) .. '.' .. larger(version, ARGV[2])
  if raised ~= present then redis.call('SET', KEYS[1], raised) end
`;

/**
 * ARGV: registers. For each: false if it is absent, else the accepted ballot and the version of its tombstone, 0 if it holds no value at all, or "" if it
 * holds one that was not deleted. A deleted register's text ends as no other one's does.
 */
export const REMAINS = `
  local remains, ending = {}, ',"deleted":true}'
  for index, register in ipairs(ARGV) do
    local stored = redis.call('HMGET', register, 'promise', 'ballot', 'value')
    local value = stored[3] or ''
    local version = value == '' and '0' or ''
    if string.sub(value, -#ending) == ending then version = string.match(value, '^{"ver":(%d+),') or '' end
    remains[index] = stored[1] and { stored[2] or '', version } or false
  end
  return remains
`;

/**
 * KEYS: the floor. ARGV: the era of the collection; then three for each register: its name, the accepted ballot that was seen on every acceptor, the
 * version of the tombstone under it. Returns how many were removed: those that are as they were seen, that the floor covers, and whose promise is of
 * an earlier era, for a later one is a round's that is under way. One write command.
 */
export const ERASE = `
  local era, version = string.match(redis.call('GET', KEYS[1]) or '0.0', '^(%d+)%.(%d+)$')
  if tonumber(era) < tonumber(ARGV[1]) then return 0 end
  local covered = {}
  for index = 2, #ARGV, 3 do
    local stored = redis.call('HMGET', ARGV[index], 'promise', 'ballot')
    local promised = string.match(stored[1] or '', '^%d+') or '0'
    local isSeen = stored[1] and (stored[2] or '') == ARGV[index + 1]
    if isSeen and tonumber(ARGV[index + 2]) <= tonumber(version) and tonumber(promised) < tonumber(ARGV[1]) then
      covered[#covered + 1] = ARGV[index]
    end
  end
  return #covered > 0 and redis.call('UNLINK', unpack(covered)) or 0
`;
