--- The civil calendar in UTC over milliseconds since 1970, and fixed offsets from it.
local errors = require "store.errors"

local calendar = {}

local DAY = 86400000
local floor = math.floor

--- Days since 1970 of a civil date; months and days may run over.
function calendar.days(year, month, day)
  year = year + floor((month - 1) / 12)
  month = (month - 1) % 12 + 1
  local y = month <= 2 and year - 1 or year
  local era = floor(y / 400)
  local of_era = y - era * 400
  local of_year = floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5)
  return era * 146097 + of_era * 365 + floor(of_era / 4) - floor(of_era / 100)
    + of_year - 719468 + day - 1
end

local function civil(days)
  local z = days + 719468
  local era = floor(z / 146097)
  local of_era = z - era * 146097
  local leaps = floor(of_era / 1460) - floor(of_era / 36524) + floor(of_era / 146096)
  local year = floor((of_era - leaps) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * of_year + 2) / 153)
  local day = of_year - floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- The parts of a moment: year, month, day, hour, minute, second, millisecond, weekday (Sunday 1),
--- yearday, days (since 1970).
---@param moment number milliseconds, the offset already added
function calendar.parts(moment)
  local days = floor(moment / DAY)
  local rest = moment - days * DAY
  local year, month, day = civil(days)
  return {
    year = year, month = month, day = day,
    hour = floor(rest / 3600000), minute = floor(rest / 60000) % 60,
    second = floor(rest / 1000) % 60, millisecond = rest % 1000,
    weekday = (days + 4) % 7 + 1, yearday = days - calendar.days(year, 1, 1) + 1, days = days,
  }
end

--- Milliseconds of civil parts; each may run over.
function calendar.moment(year, month, day, hour, minute, second, millisecond)
  return calendar.days(year, month, day) * DAY + hour * 3600000 + minute * 60000 + second * 1000
    + millisecond
end

--- ISO week and its year.
function calendar.iso_week(parts)
  local monday = (parts.weekday + 5) % 7
  local thursday = parts.days - monday + 3
  local year = civil(thursday)
  return floor((thursday - calendar.days(year, 1, 1)) / 7) + 1, year
end

--- Weeks from the year's first Sunday, 0 before it.
function calendar.week(parts)
  return floor((parts.yearday + 6 - (parts.weekday - 1)) / 7)
end

--- The offset of a zone in milliseconds: UTC, GMT, Z, +hh, +hhmm, +hh:mm. Names of places need zone
--- files, which the built-in store does not read.
function calendar.offset(zone)
  if zone == "UTC" or zone == "GMT" or zone == "Z" or zone == "Etc/UTC" then
    return 0
  end
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d?%d?)$")
  if not sign then
    errors.unsupported("the time zone '" .. zone .. "' (UTC and offsets as \"+02:00\" do)")
  end
  local offset = tonumber(hours) * 3600000 + (tonumber(minutes) or 0) * 60000
  return sign == "-" and -offset or offset
end

--- The text of a moment by a format of $dateToString.
function calendar.format(moment, offset, format)
  local parts = calendar.parts(moment + offset)
  local week, week_year = calendar.iso_week(parts)
  local minutes = floor(math.abs(offset) / 60000)
  local sign = offset < 0 and "-" or "+"
  local texts = {
    Y = string.format("%04d", parts.year), m = string.format("%02d", parts.month),
    d = string.format("%02d", parts.day), H = string.format("%02d", parts.hour),
    M = string.format("%02d", parts.minute), S = string.format("%02d", parts.second),
    L = string.format("%03d", parts.millisecond), j = string.format("%03d", parts.yearday),
    w = tostring(parts.weekday), u = tostring((parts.weekday + 5) % 7 + 1),
    U = string.format("%02d", calendar.week(parts)), V = string.format("%02d", week),
    G = string.format("%04d", week_year), Z = string.format("%s%d", offset < 0 and "-" or "+",
      minutes),
    z = string.format("%s%02d%02d", sign, floor(minutes / 60), minutes % 60), ["%"] = "%",
  }
  return (format:gsub("%%(.?)", function(letter)
    return texts[letter] or errors.raise(18536, "Invalid format character '%" .. letter ..
      "' in format string")
  end))
end

-- The milliseconds of the text behind a date, "T12:30:05.25+01:00"; nil when it is not a time.
local function time_of(text)
  local hour, minute, tail = text:match("^[T ](%d%d):(%d%d)(.*)$")
  if not hour then
    return nil
  end
  local second, fraction, zone = 0, "", tail
  if tail:find("^:") then
    second, fraction, zone = tail:match("^:(%d%d)%.?(%d*)(.*)$")
  end
  zone = zone and zone:match("^%s*(.-)%s*$")
  if not zone or (zone ~= "" and zone ~= "Z" and not zone:match("^[+-]%d%d:?%d?%d?$")) then
    return nil
  end
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if hour > 23 or minute > 59 or second > 59 then
    return nil
  end
  local milliseconds = tonumber((fraction .. "000"):sub(1, 3))
  return hour * 3600000 + minute * 60000 + second * 1000 + milliseconds
    - (zone ~= "" and calendar.offset(zone) or 0)
end

--- Reads an ISO 8601 text: milliseconds, or nil.
function calendar.parse(text)
  local year, month, day, rest = text:match("^%s*(%d%d%d%d)%-(%d%d?)%-(%d%d?)(.*)$")
  local time = rest == "" and 0 or rest and time_of(rest)
  if not time then
    return nil
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  local last = calendar.days(year, month + 1, 1) - calendar.days(year, month, 1)
  if month < 1 or month > 12 or day < 1 or day > last then
    return nil
  end
  return calendar.days(year, month, day) * DAY + time
end

return calendar
