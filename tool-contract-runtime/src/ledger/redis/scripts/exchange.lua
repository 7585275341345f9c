-- Compare and exchange: writes what is proposed if what it builds on still
-- holds, or says what there is.
--
-- KEYS: tool, operation; then the hash of each draw's cell. Whatever else it
-- touches is named after these, and so is in the same slot.
-- ARGV: 3 the hash whose twins to tell where there is no record, or nothing; 4
-- the version to build on, or nothing to look. To write: 5 the date, 6 what is
-- known of the twins (nothing; or their hash, and then, newest first, key and
-- version of each), 7 the head (see `head.rs`), 8 the record, 9 how many
-- arguments the events are: a number and a text each; then these, then the draws.
local prefix = string.sub(KEYS[1], 1, -6)
local operation, names = KEYS[2], prefix .. ':names'
local name = string.sub(operation, #prefix + 5)
local NONE = '00000000000000000000'

local function twins_of(hash)
  return prefix .. ':twins:' .. string.match(name, '^%S* ') .. hash
end

local function twins(hash)
  local found = redis.call('ZREVRANGEBYLEX', twins_of(hash), '+', '-', 'LIMIT', 0, LOOK_BACK)
  local place = prefix .. ':op:' .. string.match(name, '^%S* ')
  for i, member in ipairs(found) do
    local key = string.sub(member, 22)
    found[i] = { key = key, at = place .. key }
  end
  return found
end

local millis = now()
local gone = lost()
if gone then
  return gone
end
local head = redis.call('HGET', operation, 'head')

local function twins_hold(known)
  local hash = string.sub(known, 1, 64)
  if known == '' then
    return true
  elseif known == hash then
    return redis.call('EXISTS', twins_of(hash)) == 0
  end
  local seen = { hash }
  for i, twin in ipairs(twins(hash)) do
    local version = string.sub(redis.call('HGET', twin.at, 'head') or '', 1, 20)
    seen[i + 1] = twin.key .. ' ' .. version
  end
  return table.concat(seen, ' ') == known
end

local function holds()
  local at = tonumber(ARGV[5])
  return (head and string.sub(head, 1, 20) or NONE) == ARGV[4]
    and at <= millis and millis - at <= OLDEST and twins_hold(ARGV[6])
end

local function found()
  if head then
    return { 'found', millis, string.sub(head, 1, 20), redis.call('HGET', operation, 'record') }
  elseif redis.call('ZSCORE', names, name) then
    return { 'lost', 'record' }
  end
  local answer = { 'found', millis, NONE }
  for _, twin in ipairs(ARGV[3] ~= '' and twins(ARGV[3]) or {}) do
    local seen = redis.call('HMGET', twin.at, 'head', 'record')
    if not seen[1] then
      return { 'lost', 'record' }
    end
    local n = #answer
    answer[n + 1], answer[n + 2], answer[n + 3] = twin.key, string.sub(seen[1], 1, 20), seen[2]
  end
  return answer
end

if ARGV[4] == '' or not holds() then
  return found()
end

local after, events = ARGV[7], tonumber(ARGV[9])
local cells, refused
if KEYS[3] then
  cells, refused = draw(10 + events, #KEYS - 2, 2, millis)
  if not cells then
    return refused
  end
end

-- Should memory be short, it is the first write that is refused, and no other.
if not head and redis.call('ZADD', names, '0', name) == 0 then
  return { 'lost', 'record' }
end
redis.call('HSET', operation, 'head', after, 'record', ARGV[8], unpack(ARGV, 10, 9 + events))

-- A member is the fence, and the key after a space.
local function twin(head)
  return twins_of(string.sub(head, 43, 106)), string.sub(head, 22, 41) .. string.match(name, ' .*')
end

if not head or string.sub(head, 22, 106) ~= string.sub(after, 22, 106) then
  if head and string.sub(head, 22, 41) ~= NONE then
    redis.call('ZREM', twin(head))
  end
  if string.sub(after, 22, 41) ~= NONE then
    local index, member = twin(after)
    redis.call('ZADD', index, '0', member)
  end
end

local state, new_state = head and string.match(head, '%S+', 111), string.match(after, '%S+', 111)
if state ~= new_state then
  if head and string.sub(head, 109, 109) == 'n' then
    redis.call('ZREM', prefix .. ':state:' .. state, name)
  end
  if string.sub(after, 109, 109) == 'n' then
    redis.call('ZADD', prefix .. ':state:' .. new_state, '0', name)
  end
  if head and string.sub(head, 108, 108) == 'w' then
    redis.call('PUBLISH', prefix .. ':changed:' .. name, new_state)
  end
end
if cells then
  keep(cells, millis)
end
return { 'put', millis, redis.call('HINCRBY', KEYS[1], 'steps', '1') }
