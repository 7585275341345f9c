-- Operations in the order of their names. KEYS: tool, index. ARGV goes on with
-- prefix, from, to, and how many.
local gone = lost()
if gone then
  return gone
end
local answer = { 'listed' }
for _, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[6])) do
  local record = redis.call('HGET', ARGV[3] .. ':op:' .. name, 'record')
  if not record then
    return { 'lost', 'record' }
  end
  local n = #answer
  answer[n + 1], answer[n + 2] = name, record
end
return answer
