-- What every script does that reads or writes the operations of a tool:
-- `KEYS[1]` is what is known of the tool, and `ARGV` begins with its
-- incarnation and the steps that the caller knows to have been made.
local function lost()
  local found = redis.call('HMGET', KEYS[1], 'incarnation', 'steps')
  if not found[1] then
    return { 'lost', 'gone' }
  elseif found[1] ~= ARGV[1] then
    return { 'lost', 'other' }
  elseif tonumber(found[2] or '0') < tonumber(ARGV[2]) then
    return { 'lost', 'steps' }
  end
end
