local ui = require "moonlit"

ui.title "Hello"
local name = ui.text_input("Your name", { value = "world" })
ui.write("Hello, **" .. name .. "**.")
