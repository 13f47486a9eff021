--[[
  Prepare (CASPaxos paper, section 2.2, the acceptor's first phase): promises to take nothing below a ballot.

  Input:
    KEYS[1]  the register's hash, "r:" + key, with the fields promise, ballot and value
    KEYS[2]  where the acceptor keeps its identity, "identity"; in a Redis Cluster one key in each slot, here that of the register's
    KEYS[3]  where it keeps its floor, "era.version", beside the identity; absent where nothing was ever collected (paper, section 3.1)
    ARGV[1]  the ballot to promise, "era.counter.proposer.incarnation"
    ARGV[2]  the identity of the acceptor that is meant, "" where none is known

  Output:
    {"ok", ballot, value, version}  promised; the accepted ballot and value, both "" where nothing was accepted; and the floor's version,
                                    "" where there is no floor, or the register holds a value
    {"conflict", ballot}            refused; the ballot that stood in the way
    {"stranger", identity}          refused: the register is absent here, and this acceptor is another one, or has forgotten who it is ("")

  Ballots leave as the text that was stored: tostring() of a number would round it to 14 digits.
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

local stored = redis.call("HMGET", KEYS[1], "promise", "ballot", "value")
local promise, accepted, value = stored[1] or "", stored[2] or "", stored[3] or ""
local ballot = ARGV[1]

if not stored[1] and ARGV[2] ~= "" then
  local identity = redis.call("GET", KEYS[2]) or ""
  if identity ~= ARGV[2] then return { "stranger", identity } end
end

-- A register that holds no value may have been one that was collected.
local floorEra, floorVersion
if value == "" then floorEra, floorVersion = string.match(redis.call("GET", KEYS[3]) or "", "^(%d+)%.(%d+)$") end
if not stored[1] and floorEra then promise = floorEra .. ".0.0.0" end

local barrier = above(accepted, promise) and accepted or promise
if not above(ballot, barrier) then return { "conflict", barrier } end

redis.call("HSET", KEYS[1], "promise", ballot)
return { "ok", accepted, value, floorVersion or "" }
