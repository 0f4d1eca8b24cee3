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

---A run begins: nothing is bound by it yet.
function bindings.begin(session)
  session.drawn = {}
end

---A widget was drawn.
function bindings.bind(session, id, binding)
  session.drawn[id] = binding
end

---What the run has drawn so far reached the page with patch `seq`; `seen` is the last patch the
---page is known to have applied.
function bindings.publish(session, seq, seen)
  local bound = session.bindings
  for id, binding in pairs(session.drawn) do
    binding.seq = seq
    local versions = bound[id]
    if not versions then
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
