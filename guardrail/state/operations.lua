-- Every operation of a store, as guardrail.state.redis sends them: in one call, a list of operations that all have the
-- same hash tag, each atomic with the rest of its call. Keys are made here from the base that comes with an operation,
-- so that each begins with the base and lies in the base's slot; KEYS[1] is one of the bases. Every key gets a time to
-- live. Times are the server's: seconds for documents and sessions, microseconds for limits.
--
-- ARGV[1]: MessagePack, a list of {name, base, argument, ...}; false stands for none.
-- ARGV[2]: the time in microseconds, for tests; empty: the server's own.
-- ARGV[3], ...: bodies of documents, of which an operation gives the number.
-- Reply: one for each operation. Numbers that have to be exact are told as text.

local STEPS = 60 -- of a sliding window; see guardrail.state.window
local GRACE = 600 -- seconds that Redis keeps a document longer than asked, so that its tags can be found and removed
local SWEPT = 4 -- expired documents that one write removes at most
local PAGE = 100 -- index entries that are read at once

local now_us
if ARGV[2] ~= '' then
  now_us = tonumber(ARGV[2])
else
  local time = redis.call('TIME')
  now_us = time[1] * 1000000 + time[2]
end
local now = now_us / 1000000

local function text(number)
  return string.format('%.17g', number)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function milliseconds(seconds)
  return whole(math.max(1, math.ceil(seconds * 1000)))
end

local function live_at_least(key, seconds)
  local wanted = milliseconds(seconds)
  if redis.call('PTTL', key) < tonumber(wanted) then
    redis.call('PEXPIRE', key, wanted)
  end
end

-- Documents: {base}:d:id is a hash of version, body, at, until, tags; {base}:i:tag and {base}:a (all) sort ids by time;
-- {base}:x sorts them by when they expire.

local function found(base, id)
  local values = redis.call('HMGET', base .. ':d:' .. id, 'version', 'body', 'at', 'until', 'tags')
  if not values[1] or tonumber(values[4]) <= now then
    return nil
  end
  return { id = id, version = tonumber(values[1]), body = values[2], at = values[3], tags = values[5] }
end

local function told(document)
  if not document then
    return false
  end
  return { document.id, document.version, document.body, document.at, document.tags }
end

local function untag(base, id)
  local tags = redis.call('HGET', base .. ':d:' .. id, 'tags')
  for _, tag in ipairs(tags and cmsgpack.unpack(tags) or {}) do
    redis.call('ZREM', base .. ':i:' .. tag, id)
  end
end

local function remove(base, id)
  untag(base, id)
  redis.call('ZREM', base .. ':a', id)
  redis.call('ZREM', base .. ':x', id)
  redis.call('DEL', base .. ':d:' .. id)
end

local function sweep(base)
  local expired = redis.call('ZRANGEBYSCORE', base .. ':x', '-inf', text(now), 'LIMIT', 0, SWEPT)
  for _, id in ipairs(expired) do
    remove(base, id)
  end
end

local function changed(base, channel, kind, keep)
  if channel then
    redis.call('INCR', base .. ':r')
    live_at_least(base .. ':r', keep)
    redis.call('PUBLISH', channel, kind)
  end
end

-- Whether `id` comes behind `last` among those of the same time: byte by byte, as sorted sets do, whatever the locale.
local function behind(id, last)
  for index = 1, math.min(#id, #last) do
    local one, other = string.byte(id, index), string.byte(last, index)
    if one ~= other then
      return one > other
    end
  end
  return #id > #last
end

-- Limits: {base}:m:key/step is a hash of counts by step, with sum, oldest and newest, so that a request reads three
-- fields however long the window; {base}:s:key sorts leases by when they are over.

local function window(base, key, step)
  local one = { key = base .. ':m:' .. key .. '/' .. whole(step), step = step, gone = {}, sum = 0 }
  one.current = math.floor(now_us / step)
  local first = one.current - STEPS
  local values = redis.call('HMGET', one.key, 'sum', 'oldest', 'newest')
  if not values[1] or tonumber(values[3]) < first then
    one.stale = values[1]
    return one
  end
  one.sum, one.oldest, one.newest = tonumber(values[1]), tonumber(values[2]), tonumber(values[3])
  if one.oldest < first then -- once for each step that passes
    local fields = redis.call('HGETALL', one.key)
    for index = 1, #fields, 2 do
      local step = tonumber(fields[index])
      if step and step < first then
        one.gone[#one.gone + 1] = fields[index]
        one.sum = one.sum - tonumber(fields[index + 1])
      end
    end
    one.oldest = first
  end
  return one
end

local function over(one, index)
  return (index + STEPS + 1) * one.step - now_us
end

local function reset(one)
  return one.sum > 0 and over(one, one.newest) or 0
end

local function fits(sum, meter)
  return sum + meter.cost <= meter.limit or (meter.spare and sum == 0)
end

-- Steps that count and are not empty, the oldest first: a list of {step, count}.
local function counts(one)
  local list = {}
  if one.sum == 0 then
    return list
  end
  local fields = redis.call('HGETALL', one.key)
  for index = 1, #fields, 2 do
    local step = tonumber(fields[index])
    if step and step >= one.oldest then
      list[#list + 1] = { step, tonumber(fields[index + 1]) }
    end
  end
  table.sort(list, function(a, b)
    return a[1] < b[1]
  end)
  return list
end

local function room_in(one, meter)
  local sum = one.sum
  for _, pair in ipairs(counts(one)) do
    sum = sum - pair[2]
    if fits(sum, meter) then
      return over(one, pair[1])
    end
  end
  return meter.window
end

local function stored(one)
  if one.sum == 0 then
    redis.call('DEL', one.key)
    return
  end
  if #one.gone > 0 then
    redis.call('HDEL', one.key, unpack(one.gone))
    one.gone = {}
  end
  redis.call('HSET', one.key, 'sum', whole(one.sum), 'oldest', whole(one.oldest), 'newest', whole(one.newest))
  redis.call('PEXPIRE', one.key, milliseconds((reset(one) + one.step) / 1000000))
end

local function add(one, count)
  if count > 0 then
    if one.sum == 0 then
      if one.stale then
        redis.call('DEL', one.key)
      end
      one.oldest, one.newest, one.gone = one.current, one.current, {}
    end
    redis.call('HINCRBY', one.key, whole(one.current), whole(count))
    one.sum, one.newest = one.sum + count, math.max(one.newest, one.current)
    one.oldest = math.min(one.oldest, one.current)
    stored(one)
  elseif count < 0 then
    local left = -count
    for _, pair in ipairs(counts(one)) do
      local back = math.min(left, pair[2])
      left, one.sum = left - back, one.sum - back
      if back == pair[2] then
        redis.call('HDEL', one.key, whole(pair[1]))
      elseif back > 0 then
        redis.call('HINCRBY', one.key, whole(pair[1]), whole(-back))
      end
    end
    stored(one)
  end
end

local function lease(base, key, name, seconds)
  redis.call('ZADD', base .. ':s:' .. key, whole(now_us + math.floor(seconds * 1000000)), name)
  live_at_least(base .. ':s:' .. key, seconds + 1)
end

-- Counts: {base}:day is a hash of counts by name.

-- The date of today, UTC, from the number of days since 1970: there is no calendar in Redis. Eras of 400 years that
-- begin in March, so that the leap day is the last of its year.
local function today()
  local days = math.floor(now / 86400) + 719468
  local era = math.floor(days / 146097)
  local in_era = days - era * 146097
  local year = math.floor(
    (in_era - math.floor(in_era / 1460) + math.floor(in_era / 36524) - math.floor(in_era / 146096)) / 365
  )
  local in_year = in_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * in_year + 2) / 153)
  local day = in_year - math.floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  return string.format('%04d-%02d-%02d', year + era * 400 + (month <= 2 and 1 or 0), month, day)
end

local operations = {}

function operations.get(base, id)
  return told(found(base, id))
end

function operations.put(base, id, number, tags, keep, expect, at, channel, kind)
  sweep(base)
  local document = found(base, id)
  local version = document and document.version or 0
  if expect and expect ~= version then
    return { told(document) }
  end
  untag(base, id)
  at = at and text(at) or document and document.at or text(now)
  local key = base .. ':d:' .. id
  redis.call(
    'HSET', key, 'version', whole(version + 1), 'body', ARGV[2 + number], 'at', at, 'until', text(now + keep),
    'tags', cmsgpack.pack(tags)
  )
  redis.call('PEXPIRE', key, milliseconds(keep + GRACE))
  for _, tag in ipairs(tags) do
    redis.call('ZADD', base .. ':i:' .. tag, at, id)
    live_at_least(base .. ':i:' .. tag, keep + GRACE)
  end
  redis.call('ZADD', base .. ':a', at, id)
  live_at_least(base .. ':a', keep + GRACE)
  redis.call('ZADD', base .. ':x', text(now + keep), id)
  live_at_least(base .. ':x', keep + GRACE)
  changed(base, channel, kind, keep)
  return version + 1
end

function operations.drop(base, id, channel, kind, keep)
  local document = found(base, id)
  if not document then
    return 0
  end
  remove(base, id)
  changed(base, channel, kind, keep)
  return 1
end

function operations.find(base, tag, since, before, limit, newest, after)
  local index = tag == '' and base .. ':a' or base .. ':i:' .. tag
  local low, high = text(since), before and '(' .. text(before) or '+inf'
  local last = after ~= '' and redis.call('HGET', base .. ':d:' .. after, 'at')
  last = last and tonumber(last)
  if last and newest and (not before or last < before) then
    high = text(last)
  elseif last and not newest and last > since then
    low = text(last)
  end
  local documents, offset = {}, 0
  while #documents < limit do
    local page
    if newest then
      page = redis.call('ZREVRANGEBYSCORE', index, high, low, 'WITHSCORES', 'LIMIT', offset, PAGE)
    else
      page = redis.call('ZRANGEBYSCORE', index, low, high, 'WITHSCORES', 'LIMIT', offset, PAGE)
    end
    if #page == 0 then
      break
    end
    local stale = {}
    for position = 1, #page, 2 do
      local id = page[position]
      local seen = false
      if last and tonumber(page[position + 1]) == last then
        seen = id == after or behind(id, after) == newest
      end
      if not seen then
        local document = found(base, id)
        if not document then
          stale[#stale + 1] = id
        elseif #documents < limit then
          documents[#documents + 1] = told(document)
        end
      end
    end
    offset = offset + #page / 2
    -- Where nothing may be written, they are only passed over.
    if #stale > 0 and type(redis.pcall('ZREM', index, unpack(stale))) == 'number' then
      offset = offset - #stale
    end
  end
  return documents
end

function operations.revision(base)
  return tonumber(redis.call('GET', base .. ':r') or 0)
end

function operations.take(base, meters, seats, name, seconds)
  local refused, wait = -1, 0
  local windows, sizes = {}, {}
  for index, meter in ipairs(meters) do
    meter = { key = meter[1], step = meter[2], limit = meter[3], cost = meter[4], spare = meter[5], window = meter[6] }
    meters[index] = meter
    windows[index] = window(base, meter.key, meter.step)
    if refused < 0 and not fits(windows[index].sum, meter) then
      refused, wait = index - 1, room_in(windows[index], meter)
    end
  end
  for index, seat in ipairs(seats) do
    local key, limit = base .. ':s:' .. seat[1], seat[2]
    local size = redis.call('ZCOUNT', key, '(' .. whole(now_us), '+inf')
    local held = tonumber(redis.call('ZSCORE', key, name) or 0) > now_us
    sizes[index] = size
    if refused < 0 and not held and size >= limit then
      refused = #meters + index - 1
      if limit > 0 then
        local all = redis.call('ZCARD', key)
        local ends = redis.call('ZRANGE', key, all - limit, all - limit, 'WITHSCORES')
        wait = tonumber(ends[2]) - now_us
      else
        wait = seconds * 1000000
      end
    end
    seats[index] = { key = seat[1], size = held and size or size + 1 }
  end
  if refused < 0 then
    for index, meter in ipairs(meters) do
      add(windows[index], meter.cost)
    end
    for index, seat in ipairs(seats) do
      redis.call('ZREMRANGEBYSCORE', base .. ':s:' .. seat.key, '-inf', whole(now_us))
      lease(base, seat.key, name, seconds)
      sizes[index] = seat.size
    end
  end
  local reply = { whole(refused), whole(wait) }
  for index in ipairs(meters) do
    reply[#reply + 1] = whole(windows[index].sum)
    reply[#reply + 1] = whole(reset(windows[index]))
  end
  for _, size in ipairs(sizes) do
    reply[#reply + 1] = whole(size)
    reply[#reply + 1] = '0'
  end
  return table.concat(reply, ' ')
end

function operations.give(base, seats, name, corrections)
  for _, key in ipairs(seats) do
    redis.call('ZREM', base .. ':s:' .. key, name)
  end
  for _, meter in ipairs(corrections) do
    add(window(base, meter[1], meter[2]), meter[3])
  end
  return false
end

function operations.renew(base, seats, names, seconds)
  for index, key in ipairs(seats) do
    lease(base, key, names[index], seconds)
  end
  return false
end

-- Sessions: {base} is a hash of started, last and until, and of a field for each mark.

local function session(base)
  local fields = redis.call('HGETALL', base)
  local one = { marks = {} }
  for index = 1, #fields, 2 do
    if string.sub(fields[index], 1, 2) == 'm:' then
      one.marks[#one.marks + 1] = string.sub(fields[index], 3)
    else
      one[fields[index]] = tonumber(fields[index + 1])
    end
  end
  return one['until'] and one['until'] > now and one or nil
end

local function begun(base, keep)
  redis.call('DEL', base)
  redis.call('HSET', base, 'started', text(now), 'last', text(now), 'until', text(now + keep))
  redis.call('PEXPIRE', base, milliseconds(keep))
end

function operations.visit(base, gap, keep)
  local one = session(base)
  if not one or now - one.last >= gap then
    begun(base, keep)
    return { text(now), text(now), text(now) }
  end
  redis.call('HSET', base, 'last', text(now), 'until', text(now + keep))
  redis.call('PEXPIRE', base, milliseconds(keep))
  return { text(one.started), text(one.last), text(now), unpack(one.marks) }
end

function operations.mark(base, mark, keep)
  if not session(base) then
    begun(base, keep)
  end
  return redis.call('HSETNX', base, 'm:' .. mark, '1')
end

function operations.count(base, names, keep)
  local key = base .. ':' .. today()
  for index = 1, #names, 2 do
    redis.call('HINCRBY', key, names[index], whole(names[index + 1]))
  end
  if #names > 0 and redis.call('PTTL', key) < 0 then
    redis.call('PEXPIRE', key, milliseconds(keep))
  end
  return false
end

function operations.counts(base, days)
  local sums, names = {}, {}
  for _, day in ipairs(days) do
    local fields = redis.call('HGETALL', base .. ':' .. day)
    for index = 1, #fields, 2 do
      local name = fields[index]
      if not sums[name] then
        names[#names + 1] = name
      end
      sums[name] = (sums[name] or 0) + tonumber(fields[index + 1])
    end
  end
  local reply = {}
  for _, name in ipairs(names) do
    reply[#reply + 1] = name
    reply[#reply + 1] = whole(sums[name])
  end
  return reply
end

function operations.probe(base)
  redis.call('SET', base, '1', 'PX', '60000')
  return false
end

local replies = {}
for index, operation in ipairs(cmsgpack.unpack(ARGV[1])) do
  replies[index] = operations[operation[1]](unpack(operation, 2))
end
return replies
