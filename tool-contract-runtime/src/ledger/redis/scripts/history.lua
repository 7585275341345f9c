-- The history of one operation. KEYS: tool, history.
local gone = lost()
if gone then
  return gone
end
return { 'events', redis.call('LRANGE', KEYS[2], 0, -1) }
