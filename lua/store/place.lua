--- One value put at a dotted path of a document, the rest copied as it is.
local bson = require "store.bson"

local place = {}

local step, name_at = bson.step, bson.name

-- Appends parts[i], parts[i + 1], ... with the value as new nested documents.
local function put_new(w, parts, i, t, v)
  if i == #parts then
    return w:put(parts[i], t, v)
  end
  w:open(parts[i], 3)
  put_new(w, parts, i + 1, t, v)
  w:close()
end

local function rebuild(w, p, o, parts, i, t, v)
  local found = false
  local at = o + 4
  local here, payload, following = step(p, at)
  while here ~= 0 do
    if found or name_at(p, at) ~= parts[i] then
      w:raw(p, at, following)
    else
      found = true
      if i == #parts then
        w:put(parts[i], t, v)
      elseif here == 3 then
        w:open(parts[i], 3)
        rebuild(w, p, payload, parts, i + 1, t, v)
        w:close()
      elseif t ~= 0 then
        put_new(w, parts, i, t, v)
      else
        w:raw(p, at, following)
      end
    end
    at = following
    here, payload, following = step(p, at)
  end
  if not found and t ~= 0 then
    put_new(w, parts, i, t, v)
  end
end

--- A function that gives a document with the value at the path; missing (0) takes the field away.
---@param path string
---@return fun(doc: string, t: integer, v: any): string
function place.setter(path)
  local parts, w = bson.split(path), bson.writer()
  return function(doc, t, v)
    w:reset()
    rebuild(w, bson.pointer(doc), 0, parts, 1, t, v)
    local _ = doc -- lives up to here
    return w:finish()
  end
end

return place
