--[[
  Accept (CASPaxos paper, section 2.2, the acceptor's second phase): takes a value under a ballot.

  Input:
    KEYS[1]  the register's hash, "r:" + key, with the fields promise, ballot and value
    KEYS[2]  where the acceptor keeps its identity, "identity"; in a Redis Cluster one key in each slot, here that of the register's
    KEYS[3]  where it keeps its floor, "era.version", beside the identity; absent where nothing was ever collected (paper, section 3.1)
    ARGV[1]  the ballot of the value, "era.counter.proposer.incarnation"
    ARGV[2]  the value, "" for the empty register
    ARGV[3]  the next ballot of the same proposer, promised along with this accept (paper, section 2.2.1: one round trip)
    ARGV[4]  the identity of the acceptor that is meant, "" where none is known

  Output:
    {"ok"}                  accepted, or accepted before under the same ballot with the same value
    {"conflict", ballot}    refused; the ballot that stood in the way
    {"stranger", identity}  refused: the register is absent here, and this acceptor is another one, or has forgotten who it is ("")
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

local function highest(a, b)
  return above(b, a) and b or a
end

local stored = redis.call("HMGET", KEYS[1], "promise", "ballot", "value")
local promise, accepted, present = stored[1] or "", stored[2] or "", stored[3] or ""
local ballot, value, nextBallot = ARGV[1], ARGV[2], ARGV[3]

if not stored[1] and ARGV[4] ~= "" then
  local identity = redis.call("GET", KEYS[2]) or ""
  if identity ~= ARGV[4] then return { "stranger", identity } end
end

-- An absent register has promised the floor's era: an accept from before the collection that removed it must not bring an old value back.
if not stored[1] then
  local floorEra = string.match(redis.call("GET", KEYS[3]) or "", "^(%d+)%.")
  if floorEra then promise = floorEra .. ".0.0.0" end
end

local fresh = not above(promise, ballot) and above(ballot, accepted)
local again = ballot == accepted and value == present
if not fresh and not again then return { "conflict", highest(promise, accepted) } end

redis.call("HSET", KEYS[1], "promise", highest(highest(promise, ballot), nextBallot), "ballot", ballot, "value", value)
return { "ok" }
