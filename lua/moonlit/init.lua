-- What `require "moonlit"` returns: drawing, waiting, state and the run, in one table.

local core = require "moonlit.core.run"
local ui = require "moonlit.ui"
local wait = require "moonlit.wait"
local state = require "moonlit.state"

-- The drawing calls are in lua/meta, for editors.
---@class moonlit: moonlit.Show, moonlit.Wait
local moonlit = {}

for name, value in pairs(ui) do moonlit[name] = value end
for name, value in pairs(wait) do moonlit[name] = value end

moonlit.state = state.state
moonlit.session = state.session

---End this run here, as if the script were at its end. What was drawn stays.
function moonlit.stop()
  return core.stop()
end

---Leave this run and start the next one at once, with what the widgets and ui.state hold now. In a
---callback it returns, and the next run starts when the script has ended. At most 100 times in a
---row without anything new from the page, then it is an error.
function moonlit.rerun()
  return core.rerun()
end

return moonlit
