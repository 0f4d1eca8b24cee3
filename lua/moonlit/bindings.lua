-- What belongs to the widgets drawn: callbacks and their arguments, the options of choices.
--
-- A press calls the functions of the page that the person saw: an event names the last patch that
-- the page had applied, and older bindings live until the page has seen newer ones.

local bindings = {}

---@class moonlit.Binding
---@field seq integer the patch with which it reached the page
---@field on_click? function
---@field on_change? function
---@field args? any[]
---@field options? any[]
---@field labels? string[]

---A run begins: nothing is bound by it yet. (The drawing calls write into `drawn`.)
---@param session table the Lua side of a session (state.new)
function bindings.begin(session)
  session.drawn = {}
  session.bound = {}
end

---The page has not the widget any more. What its callbacks kept alive goes; how a hidden choice
---reads its value stays.
local function forget(session, id, versions)
  local last = versions[#versions]
  local rest = last.options and { seq = last.seq, options = last.options, labels = last.labels }
  session.bindings[id] = rest and { rest, gone = versions.gone, is_rest = true } or nil
end

---A run came to its end: widgets that it did not draw leave the page with the patch that follows,
---and may be forgotten when the page has seen that.
---@param session table the Lua side of a session (state.new)
---@param seen integer the last patch that the page is known to have applied
function bindings.finish(session, seen)
  for id, versions in pairs(session.bindings) do
    if session.bound[id] or session.drawn[id] then
      versions.gone = nil
    elseif not versions.gone then
      versions.gone = (session.published or 0) + 1
    elseif versions.gone <= seen and not versions.is_rest then
      forget(session, id, versions)
    end
  end
end

---What the run has drawn so far reached the page with patch `seq`; `seen` is the last patch the
---page is known to have applied.
---@param session table the Lua side of a session (state.new)
---@param seq integer
---@param seen integer
function bindings.publish(session, seq, seen)
  local bound = session.bindings
  session.published = seq
  for id, binding in pairs(session.drawn) do
    binding.seq = seq
    session.bound[id] = true
    local versions = bound[id]
    if not versions or versions.is_rest then
      versions = {}
      bound[id] = versions
    end
    local last = versions[#versions]
    if last and last.seq == seq then
      versions[#versions] = binding
    else
      versions[#versions + 1] = binding
    end
    while #versions > 1 and versions[2].seq <= seen do table.remove(versions, 1) end
  end
  session.drawn = {}
end

---The newest binding of a widget, or the one of the page at patch `seen`.
---@param session table the Lua side of a session (state.new)
---@param id any the widget's
---@param seen? integer
---@return moonlit.Binding?
function bindings.get(session, id, seen)
  local versions = session.bindings[id]
  if not versions then return nil end
  for i = #versions, 1, -1 do
    if not seen or versions[i].seq <= seen then return versions[i] end
  end
  return versions[1]
end

---The callbacks of the widgets changed, in their order.
---@param session table the Lua side of a session (state.new)
---@param changed any[] ids of widgets
---@param seen? integer
---@return { f: function, args: any[] }[]
function bindings.find(session, changed, seen)
  local callbacks = {}
  for _, id in ipairs(changed) do
    local binding = bindings.get(session, id, seen)
    local f = binding and (binding.on_click or binding.on_change)
    if f then callbacks[#callbacks + 1] = { f = f, args = binding.args or {} } end
  end
  return callbacks
end

return bindings
