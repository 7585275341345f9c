-- The history of one operation. KEYS: tool, operation, names. ARGV goes on with
-- its name.
local gone = lost()
if gone then
  return gone
end
local fields, answer = redis.call('HGETALL', KEYS[2]), { 'events' }
if #fields == 0 and redis.call('ZSCORE', KEYS[3], ARGV[3]) then
  return { 'lost', 'record' }
end
-- An event is under its number.
for i = 1, #fields, 2 do
  if string.find(fields[i], '^%d') then
    answer[#answer + 1] = fields[i + 1]
  end
end
return answer
