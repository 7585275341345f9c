-- Reserves fences. KEYS: ledger, fences. ARGV: the ledger's incarnation, how
-- many.
--
-- The sequence never stands below the microseconds since the epoch, so that one
-- that lost its newest value, or all of it, goes on above what it has given.
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then
  return { 'lost', 'ledger' }
end
local millis, micros = now()
local first = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, millis * 1000 + micros)
local last = first + tonumber(ARGV[2]) - 1
-- A double counts no further.
if last >= 9007199254740992 then
  return redis.error_reply('ERR the sequence of fences has run out')
end
redis.call('SET', KEYS[2], string.format('%.0f', last))
return { 'fences', string.format('%.0f', first) }
