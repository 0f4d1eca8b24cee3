-- A query of some seconds, to play with: press the button while it runs. Every press is counted,
-- the query for a result that nobody wants any more is ended in the database, and others go on.

local ui    = require "moonlit"
local mongo = require "moonlit.mongo"

local numbers = mongo.database().slow_numbers

ui.once("slow numbers", function()
  if numbers:estimated_document_count() == 0 then
    local rows, digits = {}, {}
    for i = 1, 200 do digits[i] = i end
    for i = 1, 20 do rows[i] = { n = i, digits = digits } end
    numbers:insert_many(rows)
  end
end)

ui.title "Slow"
ui.state.count = ui.state.count or 0

if ui.button("Count", { type = "primary" }) then ui.state.count = ui.state.count + 1 end
ui.metric("Pressed", ui.state.count)

local work = ui.slider("How much work for the database", { min = 1, max = 20, value = 10 })

ui.spinner("The database is counting pairs", function()
  local pairs_of_digits = numbers:aggregate{
    { ["$match"]  = { n = { ["$lte"] = work } } },
    { ["$set"]    = { others = "$digits" } },
    { ["$unwind"] = "$digits" },
    { ["$unwind"] = "$others" },
    { ["$group"]  = { _id = { ["$mod"] = { "$others", 10 } }, pairs = { ["$sum"] = 1 } } },
    { ["$sort"]   = { _id = 1 } },
  }
  ui.table(pairs_of_digits:list())
end)
