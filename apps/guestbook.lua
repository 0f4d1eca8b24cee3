-- A guest book: write an entry, and see everybody's.

local ui    = require "moonlit"
local bson  = require "moonlit.bson"
local mongo = require "moonlit.mongo"

local entries = mongo.database().guestbook

ui.title "Guest book"

local name = ui.text_input("Your name", { key = "name", max_chars = 40 })
local words = ui.text_area("What would you like to say?", { key = "words", max_chars = 500 })

if ui.button("Sign the book", { type = "primary" }) then
  if name == "" or words == "" then
    ui.warning "Please write your name and a few words."
  else
    entries:insert_one{ name = name, words = words, at = bson.date() }
    ui.state.words = ""
    ui.toast "Thank you!"
    ui.rerun()
  end
end

local count = entries:count_documents{}
if count == 0 then
  ui.info "The book is still empty. Yours can be the first entry."
else
  ui.subheader(count == 1 and "One entry" or count .. " entries")
end

for entry in entries:find({}, { sort = { at = -1 }, limit = 50 }) do
  ui.container({ border = true, key = tostring(entry._id) })(function()
    ui.markdown("**" .. entry.name .. "**")
    ui.text(entry.words)
    ui.caption(tostring(entry.at))
  end)
end
