-- A query of five seconds, to play with: press the button while it runs. Each press is counted, the
-- query for a result that nobody wants any more is cancelled in the database, and other pages go on.

local ui    = require "moonlit"

ui.title "Slow"
ui.state.count = ui.state.count or 0

if ui.button "Count" then ui.state.count = ui.state.count + 1 end
ui.metric("Pressed", ui.state.count)

local seconds = ui.slider("Seconds", { min = 0, max = 10, value = 5 })
ui.spinner("Waiting for the slow part", function() ui.sleep(seconds) end)
ui.success(("Done after %g s, with %d presses."):format(seconds, ui.state.count))
