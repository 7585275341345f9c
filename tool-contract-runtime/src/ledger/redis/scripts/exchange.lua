-- Compare and exchange: writes what is proposed if what it builds on still
-- holds, or says what there is.
--
-- KEYS: tool, operation, history, names; then the hash of each draw's cell.
-- Whatever else it touches is named by `prefix`, and so is in the same slot.
local prefix, tenant, key, hash = unpack(ARGV, 3, 6)
local is_put = ARGV[7] == 'put'
local operation, history, names = KEYS[2], KEYS[3], KEYS[4]
local name = tenant .. ' ' .. key
local LOOK_BACK = 32
local NO_FENCE = '00000000000000000000'
local WATCHED = { awaiting_approval = true, running = true, reconciling = true }
local NOTED = {
  awaiting_approval = true, approved = true, denied = true, unknown = true, reconciling = true,
  exhausted = true, abandoned = true,
}

local function twins_of(hash)
  return prefix .. ':twins:' .. tenant .. ' ' .. hash
end

-- A member is a fence of twenty digits, and the key after a space.
local function member(fence, key)
  return fence .. ' ' .. key
end

local function twins(hash)
  local members = redis.call('ZREVRANGEBYLEX', twins_of(hash), '+', '-', 'LIMIT', 0, LOOK_BACK)
  local found = {}
  for i, text in ipairs(members) do
    local key = string.sub(text, 22)
    local at = prefix .. ':op:' .. tenant .. ' ' .. key
    found[i] = { key = key, at = at }
  end
  return found
end

local millis = now()
local gone = lost()
if gone then
  return gone
end
local version, state, fence, old_hash =
  unpack(redis.call('HMGET', operation, 'version', 'state', 'fence', 'hash'))
if not version and redis.call('ZSCORE', names, name) then
  return { 'lost', 'record' }
end

-- 8 expected, 9 at, 10 oldest, 11 the hash of the twins that are known, 12 all
-- that was seen of them, newest first: key and version, a space after each
local function twins_hold()
  local known, seen = ARGV[11], {}
  if known == '' then
    return true
  end
  for i, twin in ipairs(twins(known)) do
    seen[i] = twin.key .. ' ' .. (redis.call('HGET', twin.at, 'version') or '') .. ' '
  end
  return table.concat(seen) == ARGV[12]
end

local function holds()
  local at = tonumber(ARGV[9])
  local is_dated_well = at <= millis and millis - at <= tonumber(ARGV[10])
  return (version or '0') == ARGV[8] and is_dated_well and twins_hold()
end

local function found()
  local answer = { 'found', string.format('%.0f', millis) }
  if version then
    answer[3], answer[4] = version, redis.call('HGET', operation, 'record')
    return answer
  end
  answer[3], answer[4] = '0', ''
  if hash ~= '' then
    for _, twin in ipairs(twins(hash)) do
      local seen = redis.call('HMGET', twin.at, 'version', 'record')
      if not seen[1] then
        return { 'lost', 'record' }
      end
      local n = #answer
      answer[n + 1], answer[n + 2], answer[n + 3] = twin.key, seen[1], seen[2]
    end
  end
  return answer
end

if not is_put or not holds() then
  return found()
end

-- 13 the next version, 14 state, 15 until when, 16 fence, 17 hash, 18 record,
-- 19 how many events, 20 how many draws; then the events, then the draws
local next_version, new_state, till, new_fence, new_hash, record = unpack(ARGV, 13, 18)
local events, draws = tonumber(ARGV[19]), tonumber(ARGV[20])
local cells, refused, wait = draw(21 + events, draws, 4, millis)
if not cells then
  return limited(refused, wait, millis)
end

-- Should memory be short, it is this first write that is refused, and no other.
redis.call('HSET', operation, 'version', next_version, 'state', new_state, 'until', till,
  'fence', new_fence, 'hash', new_hash, 'record', record)
if not version then
  redis.call('ZADD', names, 0, name)
end
if fence ~= new_fence or old_hash ~= new_hash then
  if fence and fence ~= NO_FENCE then
    redis.call('ZREM', twins_of(old_hash), member(fence, key))
  end
  if new_fence ~= NO_FENCE then
    redis.call('ZADD', twins_of(new_hash), 0, member(new_fence, key))
  end
end
if state ~= new_state then
  if state and NOTED[state] then
    redis.call('ZREM', prefix .. ':state:' .. state, name)
  end
  if NOTED[new_state] then
    redis.call('ZADD', prefix .. ':state:' .. new_state, 0, name)
  end
  if state and WATCHED[state] then
    redis.call('PUBLISH', prefix .. ':changed:' .. name, new_state)
  end
end
if events > 0 then
  redis.call('RPUSH', history, unpack(ARGV, 21, 20 + events))
end
keep(cells, millis)
local steps = redis.call('HINCRBY', KEYS[1], 'steps', 1)
return { 'put', string.format('%.0f', millis), string.format('%.0f', steps) }
