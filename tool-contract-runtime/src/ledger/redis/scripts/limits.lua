-- Limits, as `tool_contract_spec::ledger::draw` has them.
--
-- A time is a pair of whole milliseconds and the nanoseconds within: a number
-- here is a double, which cannot hold the nanoseconds since the epoch.
local MILLI = 1000000
-- A rate that has been full again for a day says no more than a new one, and a
-- clock is not set back by more.
local IDLE = 86400000

local function plus(a, b)
  local nanos = a[2] + b[2]
  if nanos >= MILLI then
    return { a[1] + b[1] + 1, nanos - MILLI }
  end
  return { a[1] + b[1], nanos }
end

local function minus(a, b)
  local nanos = a[2] - b[2]
  if nanos < 0 then
    return { a[1] - b[1] - 1, nanos + MILLI }
  end
  return { a[1] - b[1], nanos }
end

local function before(a, b)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end

local function pair(text)
  local millis, nanos = string.match(text, '^(%d+) (%d+)$')
  return { tonumber(millis), tonumber(nanos) }
end

local function text(time)
  return string.format('%.0f %d', time[1], time[2])
end

-- The cell after one call; or nil, and when there is room, false for never, and how
-- many were counted.
local function drawn_count(cell, most, open_for, millis)
  local count, first = unpack(cell and pair(cell) or { 0, millis })
  if count >= most or millis - first >= open_for then
    return nil, false, count
  end
  return text({ count + 1, first })
end

local function drawn_rate(cell, increment, span, time)
  local arrival = cell and pair(cell) or { 0, 0 }
  local full = plus(time, span)
  local from = time
  if before(full, arrival) then
    from = minus(full, increment)
  elseif before(time, arrival) then
    from = arrival
  end
  local after = plus(from, increment)
  local debt = minus(after, time)
  if before(span, debt) then
    return nil, minus(debt, span)
  end
  return text(after)
end

-- Whether there is a slot; or nil, and when one is free at the latest.
local function drawn_slot(key, most, till, millis)
  local from = string.format('(%.0f', millis)
  if redis.call('ZCOUNT', key, from, '+inf') < most then
    return till
  end
  local first = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return nil, { tonumber(first[2]) - millis, 0 }
end

local function limited(number, wait, used, millis)
  return { 'limited', millis, number, wait and text(wait) or '', used or 0 }
end

-- Draws from all cells, or from none. The draws begin at `ARGV[at]`, four
-- arguments each: `rate`, field, increment, span; `count`, field, most, for how many
-- milliseconds after the first; `slot`, fence, most, until when; and `hold`, fence,
-- `-`, until when, which is no draw but keeps or frees a slot. Where the n-th one's
-- cell is, says `KEYS[first + n]`. Gives the cells to be written; or nil, and the
-- answer that names the draw that has no room for longest.
local function draw(at, count, first, millis)
  local time = { millis, 0 }
  local cells, worst, longest, used = {}, nil, nil, nil
  for number = 1, count do
    local kind, field, a, b = unpack(ARGV, at, at + 3)
    at = at + 4
    local key = KEYS[first + number]
    local cell, after, wait, counted
    if kind == 'rate' or kind == 'count' then
      cell = redis.call('HGET', key, field)
    end
    if kind == 'count' then
      after, wait, counted = drawn_count(cell, tonumber(a), tonumber(b), millis)
    elseif kind == 'slot' then
      after, wait = drawn_slot(key, tonumber(a), b, millis)
    elseif kind == 'hold' then
      after = b
    else
      after, wait = drawn_rate(cell, pair(a), pair(b), time)
    end
    if after then
      cells[number] = { key, field, after, kind == 'rate' and not cell, kind }
    elseif worst == nil or wait == false or (longest and not before(wait, longest)) then
      worst, longest, used = number, wait, counted
    end
  end
  if worst then
    return nil, limited(worst, longest, used, millis)
  end
  return cells
end

-- Drops what two cells, taken at random, may have left behind.
local function tidy(key, millis)
  local some = redis.call('HRANDFIELD', key, 2, 'WITHVALUES')
  for i = 1, #some, 2 do
    if pair(some[i + 1])[1] + IDLE < millis then
      redis.call('HDEL', key, some[i])
    end
  end
end

local function keep(cells, millis)
  for _, cell in ipairs(cells) do
    local key, field, after, _, kind = unpack(cell, 1, 5)
    if kind == 'slot' then
      redis.call('ZADD', key, after, field)
    elseif kind == 'hold' then
      redis.call('ZADD', key, 'XX', after, field)
    else
      redis.call('HSET', key, field, after)
    end
    if kind == 'slot' or kind == 'hold' then
      -- What ran out goes with it.
      redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', millis))
    end
  end
  for _, cell in ipairs(cells) do
    if cell[4] then
      tidy(cell[1], millis)
    end
  end
end
