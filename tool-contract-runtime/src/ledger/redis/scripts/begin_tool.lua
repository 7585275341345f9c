-- Begins a tool. KEYS: tool. ARGV: its incarnation.
redis.call('HSETNX', KEYS[1], 'incarnation', ARGV[1])
return { 'known', redis.call('HGET', KEYS[1], 'incarnation') }
