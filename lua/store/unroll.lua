--- Joins compiled closures into one without a loop, so that the JIT sees each call at a place of
--- its
--- own. Only counts go into the generated text; the closures are upvalues.
local unroll = {}

local LIMIT_UPVALUES = 50

local function names(count)
  local list = {}
  for i = 1, count do
    list[i] = "f" .. i
  end
  return list
end

local function generate(functions, body)
  local list = names(#functions)
  local source = "local " .. table.concat(list, ",") .. " = ...\nreturn function(a, b, c)\n" ..
    body(list) .. "\nend"
  return assert(loadstring(source, "=unrolled"))(unpack(functions))
end

local function halves(functions, join)
  local left, right = {}, {}
  for i, f in ipairs(functions) do
    local half = i <= #functions / 2 and left or right
    half[#half + 1] = f
  end
  return join { join(left), join(right) }
end

local function joined(functions, operator)
  return generate(functions, function(list)
    return "return " .. table.concat(list, "(a, b, c) " .. operator .. " ") .. "(a, b, c)"
  end)
end

--- One function of up to three arguments that is true when all are; stops at the first that is not.
function unroll.all(functions)
  if #functions == 0 then
    return function() return true end
  elseif #functions == 1 then
    return functions[1]
  elseif #functions > LIMIT_UPVALUES then
    return halves(functions, unroll.all)
  end
  return joined(functions, "and")
end

--- One function that is true when any is; stops at the first.
function unroll.any(functions)
  if #functions == 0 then
    return function() return false end
  elseif #functions == 1 then
    return functions[1]
  elseif #functions > LIMIT_UPVALUES then
    return halves(functions, unroll.any)
  end
  return joined(functions, "or")
end

--- One function that calls all, in order.
function unroll.each(functions)
  if #functions == 0 then
    return function() end
  elseif #functions == 1 then
    return functions[1]
  elseif #functions > LIMIT_UPVALUES then
    return halves(functions, unroll.each)
  end
  return generate(functions, function(list)
    return "  " .. table.concat(list, "(a, b, c)\n  ") .. "(a, b, c)"
  end)
end

return unroll
