-- Some operations, in the order of their names. KEYS: tool, index. ARGV goes on
-- with from, to, how many to look at, and which: those in some states, `over`, or
-- all. The caller looks at each again; this saves sending what it does not
-- want.
local from, to, count, wanted = unpack(ARGV, 3, 6)
local prefix = string.sub(KEYS[1], 1, -6)
local gone = lost()
if gone then
  return gone
end
local millis = now()

local function is_wanted(state, till)
  local is_past = till ~= '' and tonumber(till) <= millis
  if wanted == 'over' then
    return is_past and (state == 'succeeded' or state == 'denied' or state == 'abandoned')
  end
  if is_past and (state == 'running' or state == 'reconciling') then
    state = 'unknown'
  end
  return wanted == '' or string.find(' ' .. wanted .. ' ', ' ' .. state .. ' ', 1, true) ~= nil
end

local names = redis.call('ZRANGEBYLEX', KEYS[2], from, to, 'LIMIT', 0, count)
local answer = { 'listed', millis, #names, names[#names] or '' }
for _, name in ipairs(names) do
  local operation = prefix .. ':op:' .. name
  local head = redis.call('HGET', operation, 'head')
  if not head then
    return { 'lost', 'record' }
  end
  if is_wanted(string.match(head, '^(%S+) (%d*)', 111)) then
    local n = #answer
    answer[n + 1], answer[n + 2] = name, redis.call('HGET', operation, 'record')
  end
end
return answer
