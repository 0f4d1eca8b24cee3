-- Twenty elements, as a small dashboard would draw them.
local ui = require "moonlit"

ui.title "Sales"
ui.caption "All stores, this week"
local name = ui.text_input("Store", { value = "Quayside" })
local days = ui.slider("Days", { min = 1, max = 31, value = 7 })
local kind = ui.selectbox("Kind", { "a", "b", "c" })
ui.divider()
for i = 1, 6 do ui.metric("Metric " .. i, 1000 * i + days, i .. "%") end
ui.header "Notes"
for i = 1, 5 do ui.markdown("**" .. name .. "** line " .. i .. " of " .. kind) end
ui.info "Up to date"
ui.button "Refresh"
