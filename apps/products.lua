local ui    = require "moonlit"
local mongo = require "moonlit.mongo"

local products = mongo.database().products      -- the built-in store, or MONGODB_URI / config

ui.once("seed", function()                      -- once per process, however many tabs open at the same moment
  if products:count_documents{} == 0 then
    for i = 1, 10 do products:insert_one{ name = "test " .. i } end
  end
end)

ui.title "Products"
local name  = ui.sidebar:text_input("Name", { value = "new" })
local limit = ui.sidebar:slider("How many", { min = 1, max = 50, value = 10 })

if ui.button "Add one" then products:insert_one{ name = name } end
for product in products:find({}, { sort = { _id = -1 }, limit = limit }) do ui.write(product) end
