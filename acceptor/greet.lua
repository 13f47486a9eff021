--[[
  Greet: the first message over a new connection, and one about every second from then on. Says whether this acceptor's disk, and the
  proposer's own, still hold what they once held (docs/protocol.md, "Disks that went back").
  At most one write command, as in the other scripts.
  A write that is refused is left out: registers can still be read. But where the memory is full, deletions and rounds that keep a value
  go on, and are to be counted: then it says "full", and is run again as a script that may use memory all the same (src/redis/scripts.ts).

  Input:
    KEYS[1]  where the acceptor keeps its identity, "identity"
    KEYS[2]  its count of beats, "beats"
    KEYS[3]  the hash of the highest era that each proposer said it had, by its number, "eras"
    KEYS[4]  the register that this acceptor confirmed last to the process that asks
    KEYS[5]  its floor, "era.version": a register that is absent has promised that era (paper, section 3.1)
    ARGV[1]  the identity of the acceptor that is meant
    ARGV[2]  the count when this proposer last heard it, "0" if it never did
    ARGV[3]  what the promise of that register was then at least, "" where nothing was confirmed
    ARGV[4]  the identity that this acceptor gets if its disk went back: from then on it is a stranger to everybody
    ARGV[5]  the number of the proposer, "0" where it does not say
    ARGV[6]  the era of its configuration
    ARGV[7]  "count", or "look" where there is nothing new since the last count

  Output:
    {"full", ""}            what it would have written was refused for want of memory; nothing was changed
    {"ok", beats}           it is the one that is meant; the count after this
    {"told", beats}         the same, and the era was news; it did not count
    {"stranger", identity}  it is another one, or has forgotten who it is ("")
    {"back", identity}      it has forgotten what it counted or promised, and is a stranger from now on
    {"old", era}            the proposer said a higher era before: its own disk went back
]]

-- Whether ballot a is above ballot b. Numbers, not text: "10" comes before "9" as text. No ballot ("") is below every other.
local function above(a, b)
  if b == "" then return a ~= "" end
  if a == "" then return false end
  local a1, a2, a3, a4 = string.match(a, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  local b1, b2, b3, b4 = string.match(b, "^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if a1 ~= b1 then return tonumber(a1) > tonumber(b1) end
  if a2 ~= b2 then return tonumber(a2) > tonumber(b2) end
  if a3 ~= b3 then return tonumber(a3) > tonumber(b3) end
  return tonumber(a4) > tonumber(b4)
end

-- Whether a write was refused for want of memory.
local function wants_memory(answer)
  return type(answer) == "table" and string.find(answer.err or "", "^%-?OOM") ~= nil
end

local stored = redis.call("MGET", KEYS[1], KEYS[2])
local identity, beats = stored[1] or "", tonumber(stored[2] or "0")
if identity ~= ARGV[1] then return { "stranger", identity } end

local promise = redis.call("HMGET", KEYS[4], "promise")[1]
if not promise then
  local floorEra = string.match(redis.call("GET", KEYS[5]) or "", "^(%d+)%.")
  promise = floorEra and floorEra .. ".0.0.0" or ""
end
if beats < tonumber(ARGV[2]) or above(ARGV[3], promise) then
  if wants_memory(redis.pcall("SET", KEYS[1], ARGV[4])) then return { "full", "" } end
  return { "back", ARGV[4] }
end

if ARGV[5] ~= "0" then
  local era = redis.call("HMGET", KEYS[3], ARGV[5])[1]
  if era and tonumber(era) > tonumber(ARGV[6]) then return { "old", era } end
  if not era or tonumber(era) < tonumber(ARGV[6]) then
    if wants_memory(redis.pcall("HSET", KEYS[3], ARGV[5], ARGV[6])) then return { "full", "" } end
    return { "told", string.format("%.0f", beats) }
  end
end

if ARGV[7] == "count" then
  local counted = redis.pcall("SET", KEYS[2], string.format("%.0f", beats + 1))
  if wants_memory(counted) then return { "full", "" } end
  if counted.ok then beats = beats + 1 end
end
return { "ok", string.format("%.0f", beats) }
