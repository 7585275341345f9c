-- Limits, as `tool_contract_spec::ledger::draw` has them.
--
-- A number here is a double: it holds the nanoseconds of any span, but not those since
-- the epoch. So a time is written as whole milliseconds and the nanoseconds within, and
-- counted in nanoseconds from now.
local MILLI = 1000000
-- A rate that has been full again for a day says no more than a new one, and a
-- clock is not set back by more.
local IDLE = 86400000

local function pair(text)
  local first, second = string.match(text, '^(%d+) (%d+)$')
  return tonumber(first), tonumber(second)
end

local function text(nanos, millis)
  return string.format('%d %d', millis + math.floor(nanos / MILLI), nanos % MILLI)
end

-- The cell after one call; or nil, and when there is room, false for never, and how
-- many were counted.
local function drawn_count(cell, most, open_for, millis)
  local count, first = 0, millis
  if cell then
    count, first = pair(cell)
  end
  if count >= most or millis - first >= open_for then
    return nil, false, count
  end
  return string.format('%d %d', count + 1, first)
end

local function drawn_rate(cell, increment, span, millis)
  local ahead = 0
  if cell then
    local arrival, nanos = pair(cell)
    ahead = math.max((arrival - millis) * MILLI + nanos, 0)
    if ahead > span then
      ahead = span - increment
    end
  end
  if ahead + increment > span then
    return nil, ahead + increment - span
  end
  return text(ahead + increment, millis)
end

-- Whether there is a slot; or nil, and when one is free at the latest.
local function drawn_slot(key, most, till, millis)
  local from = string.format('(%.0f', millis)
  if redis.call('ZCOUNT', key, from, '+inf') < most then
    return till
  end
  local first = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return nil, (tonumber(first[2]) - millis) * MILLI
end

local function limited(number, wait, used, millis)
  return { 'limited', millis, number, wait and text(wait, 0) or '', used or 0 }
end

-- The cells of those draws, from the one at `ARGV[at]` on, that are in one hash.
local function look(at, key, number, last)
  local fields = {}
  while number <= last and KEYS[number] == key do
    fields[#fields + 1] = ARGV[at + 1]
    number, at = number + 1, at + 4
  end
  return redis.call('HMGET', key, unpack(fields))
end

-- Draws from all cells, or from none. The draws begin at `ARGV[at]`, four
-- arguments each: `rate`, field, increment, span, both in nanoseconds; `count`, field,
-- most, for how many milliseconds after the first; `slot`, fence, most, until when; and
-- `hold`, fence, `-`, until when, which is no draw but keeps or frees a slot. Where the
-- n-th one's cell is, says `KEYS[first + n]`. Gives what is to be written: of each hash,
-- or slot, its key, what to write, how many rates are new there, and its kind; or nil, and
-- the answer that names the draw that has no room for longest.
local function draw(at, count, first, millis)
  local all, of, cells, place, worst, longest, used = {}, nil, nil, 0, nil, nil, nil
  for number = 1, count do
    local kind, field, a, b = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local key = KEYS[first + number]
    local is_cell = kind == 'rate' or kind == 'count'
    if not is_cell or not of or of[1] ~= key then
      of, place = { key, {}, 0, kind }, 0
      all[#all + 1] = of
      cells = is_cell and look(at, key, first + number, first + count)
    end
    place = place + 1
    local after, wait, counted
    if kind == 'rate' then
      after, wait = drawn_rate(cells[place], tonumber(a), tonumber(b), millis)
      of[3] = of[3] + (cells[place] and 0 or 1)
    elseif kind == 'count' then
      after, wait, counted = drawn_count(cells[place], tonumber(a), tonumber(b), millis)
    elseif kind == 'slot' then
      after, wait = drawn_slot(key, tonumber(a), b, millis)
    else
      after = b
    end
    if after then
      of[2][2 * place - 1], of[2][2 * place] = field, after
    elseif worst == nil or wait == false or (longest and wait >= longest) then
      worst, longest, used = number, wait, counted
    end
    at = at + 4
  end
  if worst then
    return nil, limited(worst, longest, used, millis)
  end
  return all
end

-- Drops what some cells, taken at random, may have left behind: two for each new one.
local function tidy(key, new, millis)
  local some = redis.call('HRANDFIELD', key, 2 * new, 'WITHVALUES')
  for i = 1, #some, 2 do
    if pair(some[i + 1]) + IDLE < millis then
      redis.call('HDEL', key, some[i])
    end
  end
end

local function keep(all, millis)
  for _, of in ipairs(all) do
    local key, cells, new, kind = of[1], of[2], of[3], of[4]
    if kind == 'slot' or kind == 'hold' then
      if kind == 'slot' then
        redis.call('ZADD', key, cells[2], cells[1])
      else
        redis.call('ZADD', key, 'XX', cells[2], cells[1])
      end
      -- What ran out goes with it.
      redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', millis))
    else
      redis.call('HSET', key, unpack(cells))
    end
    if new > 0 then
      tidy(key, new, millis)
    end
  end
end
