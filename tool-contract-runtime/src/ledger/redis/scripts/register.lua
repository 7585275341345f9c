-- What incarnation of a tool the ledger knows. One is noted first (`?`), then
-- begun at the tool's own keys, then confirmed (`!`): a confirmed one that is
-- not there was lost. KEYS: ledger, tools. ARGV: the ledger's incarnation, the
-- tool, the tool's incarnation, and how sure it is.
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then
  return { 'lost', 'ledger' }
end
if ARGV[4] == '!' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4] .. ARGV[3])
else
  redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[4] .. ARGV[3])
end
return { 'known', redis.call('HGET', KEYS[2], ARGV[2]) }
