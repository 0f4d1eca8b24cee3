--- Dates: parts, text, truncation and steps; UTC or a fixed offset.
local bson = require "store.bson"
local errors = require "store.errors"
local calendar = require "store.calendar"
local convert = require "store.convert"
local support = require "store.expression_support"

local nothing = support.nothing
local floor = math.floor

-- Dates, ObjectIds and timestamps all name a moment.
local function moment_of(name, t, v)
  if t ~= 9 and t ~= 7 and t ~= 17 then
    errors.raise(16006, string.format("can't convert from BSON type %s to Date for %s",
      bson.type_name(t), name))
  end
  local _, date = convert.to("date", t, v)
  return tonumber(date)
end

local function offset_of(zone, p, doc)
  if not zone then
    return 0
  end
  local t, v = zone(p, doc)
  if nothing(t) then
    return nil
  elseif t ~= 2 then
    errors.raise(40517, "timezone must evaluate to a string, found " .. bson.type_name(t))
  end
  return calendar.offset(v)
end

local PARTS = {
  ["$year"] = function(parts) return parts.year end,
  ["$month"] = function(parts) return parts.month end,
  ["$dayOfMonth"] = function(parts) return parts.day end,
  ["$hour"] = function(parts) return parts.hour end,
  ["$minute"] = function(parts) return parts.minute end,
  ["$second"] = function(parts) return parts.second end,
  ["$millisecond"] = function(parts) return parts.millisecond end,
  ["$dayOfWeek"] = function(parts) return parts.weekday end,
  ["$dayOfYear"] = function(parts) return parts.yearday end,
  ["$isoDayOfWeek"] = function(parts) return (parts.weekday + 5) % 7 + 1 end,
  ["$week"] = calendar.week,
  ["$isoWeek"] = function(parts) return (calendar.iso_week(parts)) end,
}

-- Written as { $year: date } or { $year: { date:, timezone: } }.
local function part(expression, name, result_t, get)
  expression.operators[name] = function(t, v, scope)
    local zone
    if t == 3 and bson.get(v, "date") ~= 0 then
      local zone_t, zone_v = bson.get(v, "timezone")
      zone = zone_t ~= 0 and expression.compile(zone_t, zone_v, scope) or nil
      t, v = bson.get(v, "date")
    end
    local date = support.arguments(expression, name, t, v, scope, 1, 1)[1]
    return function(p, doc)
      local date_t, date_v = date(p, doc)
      local offset = offset_of(zone, p, doc)
      if nothing(date_t) or not offset then
        return 10, nil
      end
      local number = get(calendar.parts(moment_of(name, date_t, date_v) + offset))
      return result_t, result_t == 18 and bson.int64(number).v or number
    end
  end
end

local function to_string(named)
  return function(p, doc)
    local t, v = named.date(p, doc)
    local offset = offset_of(named.timezone, p, doc)
    if nothing(t) then
      if named.onNull then
        return named.onNull(p, doc)
      end
      return 10, nil
    elseif not offset then
      return 10, nil
    end
    local format = named.timezone and offset ~= 0 and "%Y-%m-%dT%H:%M:%S.%L"
      or "%Y-%m-%dT%H:%M:%S.%LZ"
    if named.format then
      local format_t
      format_t, format = named.format(p, doc)
      if nothing(format_t) then
        return 10, nil
      elseif format_t ~= 2 then
        errors.raise(18533, "$dateToString requires that 'format' be a string")
      end
    end
    return 2, calendar.format(moment_of("$dateToString", t, v), offset, format)
  end
end

local function from_string(named)
  return function(p, doc)
    local t, v = named.dateString(p, doc)
    if nothing(t) then
      if named.onNull then
        return named.onNull(p, doc)
      end
      return 10, nil
    end
    local moment = t == 2 and calendar.parse(v)
    if not moment and named.onError then
      return named.onError(p, doc)
    elseif not moment then
      errors.raise(241,
        "$dateFromString could not read the date; write it as 2024-12-31T23:59:59.999Z")
    end
    return 9, bson.date(moment - (offset_of(named.timezone, p, doc) or 0)).v
  end
end

local SPANS = { week = 604800000, day = 86400000, hour = 3600000, minute = 60000, second = 1000,
  millisecond = 1 }
local MONTHS = { year = 12, quarter = 3, month = 1 }

local function unit_of(name, t, v)
  if t ~= 2 or not (SPANS[v] or MONTHS[v]) then
    errors.raise(5439013, name ..
      " needs a unit: year, quarter, month, week, day, hour, minute, second or millisecond")
  end
  return v
end

local WEEKDAYS = { sunday = 0, monday = 1, tuesday = 2, wednesday = 3, thursday = 4, friday = 5,
  saturday = 6 }

local function weekday_of(named, p, doc)
  if not named.startOfWeek then
    return 0
  end
  local t, v = named.startOfWeek(p, doc)
  local text = t == 2 and v:lower() or ""
  for name, number in pairs(WEEKDAYS) do
    if text == name or text == name:sub(1, 3) then
      return number
    end
  end
  errors.raise(5439015, "startOfWeek must be a day of the week, as \"monday\"")
end

-- Bins of `size` units; they are counted from 2000-01-01, a Saturday.
local REFERENCE = 946684800000

local function truncate(moment, unit, size, first_day)
  if MONTHS[unit] then
    local parts = calendar.parts(moment)
    local months = MONTHS[unit] * size
    local index = (parts.year - 2000) * 12 + parts.month - 1
    return calendar.moment(2000, floor(index / months) * months + 1, 1, 0, 0, 0, 0)
  end
  local span = SPANS[unit] * size
  local reference = REFERENCE
  if unit == "week" then
    reference = reference + (first_day - 6) % 7 * SPANS.day
  end
  return reference + floor((moment - reference) / span) * span
end

local function date_trunc(named)
  return function(p, doc)
    local t, v = named.date(p, doc)
    local unit_t, unit_v = named.unit(p, doc)
    local size = 1
    if named.binSize then
      size = bson.number(named.binSize(p, doc)) or 1
    end
    local offset = offset_of(named.timezone, p, doc)
    if nothing(t) or nothing(unit_t) or not offset then
      return 10, nil
    elseif size < 1 or size ~= floor(size) then
      errors.raise(5439018, "$dateTrunc requires 'binSize' to be a positive whole number")
    end
    local moment = moment_of("$dateTrunc", t, v) + offset
    return 9, bson.date(truncate(moment, unit_of("$dateTrunc", unit_t, unit_v), size,
      weekday_of(named, p, doc)) - offset).v
  end
end

-- A month has no 31st: the day is the last there is.
local function add_months(moment, months)
  local parts = calendar.parts(moment)
  local month = parts.month + months
  local last = calendar.days(parts.year, month + 1, 1) - calendar.days(parts.year, month, 1)
  return calendar.moment(parts.year, month, math.min(parts.day, last), parts.hour, parts.minute,
    parts.second, parts.millisecond)
end

local function date_add(name, sign)
  return function(named)
    return function(p, doc)
      local t, v = named.startDate(p, doc)
      local unit_t, unit_v = named.unit(p, doc)
      local amount_t, amount_v = named.amount(p, doc)
      local offset = offset_of(named.timezone, p, doc)
      if nothing(t) or nothing(unit_t) or nothing(amount_t) or not offset then
        return 10, nil
      end
      local unit, amount = unit_of(name, unit_t, unit_v),
        sign * support.whole(name, 5166405, amount_t, amount_v)
      local moment = moment_of(name, t, v) + offset
      moment = MONTHS[unit] and add_months(moment, MONTHS[unit] * amount)
        or moment + SPANS[unit] * amount
      return 9, bson.date(moment - offset).v
    end
  end
end

-- Borders crossed, not time passed.
local function difference(from, to, unit, first_day)
  if MONTHS[unit] then
    local a, b = calendar.parts(from), calendar.parts(to)
    local per = MONTHS[unit]
    return floor((b.year * 12 + b.month - 1) / per) - floor((a.year * 12 + a.month - 1) / per)
  end
  local span = SPANS[unit]
  return (truncate(to, unit, 1, first_day) - truncate(from, unit, 1, first_day)) / span
end

local function date_diff(named)
  return function(p, doc)
    local t1, v1 = named.startDate(p, doc)
    local t2, v2 = named.endDate(p, doc)
    local unit_t, unit_v = named.unit(p, doc)
    local offset = offset_of(named.timezone, p, doc)
    if nothing(t1) or nothing(t2) or nothing(unit_t) or not offset then
      return 10, nil
    end
    local from, to = moment_of("$dateDiff", t1, v1) + offset,
      moment_of("$dateDiff", t2, v2) + offset
    return 18, bson.int64(difference(from, to, unit_of("$dateDiff", unit_t, unit_v),
      weekday_of(named, p, doc))).v
  end
end

local FROM_PARTS = { "month", "day", "hour", "minute", "second", "millisecond" }

local function from_parts(named)
  return function(p, doc)
    local numbers = { month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0 }
    for name, f in pairs(named) do
      if name ~= "timezone" then
        local t, v = f(p, doc)
        if nothing(t) then
          return 10, nil
        end
        numbers[name] = support.whole("$dateFromParts", 40515, t, v)
      end
    end
    local offset = offset_of(named.timezone, p, doc)
    if not offset then
      return 10, nil
    end
    local n = numbers
    return 9, bson.date(calendar.moment(n.year, n.month, n.day, n.hour, n.minute, n.second,
      n.millisecond) - offset).v
  end
end

local function to_parts(named)
  return function(p, doc)
    local t, v = named.date(p, doc)
    local offset = offset_of(named.timezone, p, doc)
    if nothing(t) or not offset then
      return 10, nil
    end
    local parts = calendar.parts(moment_of("$dateToParts", t, v) + offset)
    return 3, bson.build {
      { "year", parts.year }, { "month", parts.month }, { "day", parts.day },
        { "hour", parts.hour },
      { "minute", parts.minute }, { "second", parts.second }, { "millisecond", parts.millisecond },
    }
  end
end

return function(expression)
  for name, get in pairs(PARTS) do
    part(expression, name, 16, get)
  end
  part(expression, "$isoWeekYear", 18, function(parts)
    return select(2, calendar.iso_week(parts))
  end)
  support.named(expression, "$dateToString", { "date" }, { "format", "timezone", "onNull" },
    to_string)
  support.named(expression, "$dateFromString", { "dateString" },
    { "timezone", "onError", "onNull" }, from_string)
  support.named(expression, "$dateTrunc", { "date", "unit" },
    { "binSize", "timezone", "startOfWeek" }, date_trunc)
  local step = { "startDate", "unit", "amount" }
  support.named(expression, "$dateAdd", step, { "timezone" }, date_add("$dateAdd", 1))
  support.named(expression, "$dateSubtract", step, { "timezone" }, date_add("$dateSubtract", -1))
  support.named(expression, "$dateDiff", { "startDate", "endDate", "unit" },
    { "timezone", "startOfWeek" }, date_diff)
  local optional = { "timezone" }
  for _, name in ipairs(FROM_PARTS) do
    optional[#optional + 1] = name
  end
  support.named(expression, "$dateFromParts", { "year" }, optional, from_parts)
  support.named(expression, "$dateToParts", { "date" }, { "timezone" }, to_parts)
end
