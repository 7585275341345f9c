-- Finds the ledger, or begins one. KEYS: ledger. ARGV: the incarnation of a
-- new one, or nothing if it must be there; the format.
if ARGV[1] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'format', ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'incarnation', 'format')
