-- Every element, with its options: to look at, to copy from, and to test the page with.

local ui   = require "moonlit"
local bson = require "moonlit.bson"

local side = ui.sidebar
side:header "Gallery"
side:caption "Everything a script can draw. What you set here changes the page beside it."
local name = side:text_input("Your name", { value = "Selene", key = "name", max_chars = 30, icon = "user" })
local amount = side:slider("Amount", { min = 0, max = 100, value = 40, key = "amount", help = "Moves the metrics and the bar." })
local quiet = side:toggle("Quiet", { help = "Disables what can be pressed." })

ui.title("Gallery", { help = "Each section shows one family of elements." })
ui.write("Hello, **" .. name .. "**. This page is `apps/gallery.lua`; its text stands beside every section.")

-- ---- numbers ----

ui.header("Numbers", { divider = true })
local first, second, third = ui.columns(3, { border = true })
first:metric("Orders", 1200 + amount, "8.1%", { chart_data = { 4, 6, 5, 8, 7, 9, amount / 10 }, delta_description = "from last week" })
second:metric("Returns", amount, -3, { delta_color = "inverse", chart_data = { 9, 7, 8, 5, 6, 4 }, chart_type = "bar" })
third:metric("Revenue", 18204.5 + amount * 10, 0, { format = "euro", delta_color = "off", delta_arrow = "off", chart_data = { 1, 2, 4, 3, 5 }, chart_type = "area" })
ui.progress(amount / 100, "The amount, as a bar")

-- ---- text ----

ui.header("Text", { divider = "yellow" })
local left, right = ui.columns({ 3, 2 }, { gap = "medium" })
left:subheader("Markdown", { anchor = "markdown" })
left:markdown([[
Words can be **strong**, *slanted*, ~~struck~~ or `code`; some are :red[red], others stand on a
:blue-background[blue ground], and :small[small print] is small.

1. A list has numbers
2. or none

> A quotation stands a little aside.

| moon | planet | km |
| --- | --- | ---: |
| Luna | Earth | 3,474 |
| Titan | Saturn | 5,149 |

Maths is TeX between dollars: an orbit of radius $r$ takes $T = 2\pi\sqrt{r^3/GM}$, and

$$F = G\,\frac{m_1 m_2}{r^2}$$

Emoji have names: :full_moon: :rocket: :+1: and so have drawings: :material/emoji_events: :icon/telescope:
]], { help = "GitHub's flavour; raw HTML is shown as text." })
left:caption "A caption is small and pale."
right:subheader("Plain text and code", { anchor = false })
right:text("text is shown as it is: *no* Markdown,\n  and line ends are kept.", { text_alignment = "left" })
right:code('local ui = require "moonlit"\n\nui.title "Hello"\nif ui.button "Again" then\n  ui.toast "Hello again"\nend',
  { line_numbers = true })
right:code("make it so, and do not break this line", { language = "text", wrap_lines = true })
ui.divider()
local badges = ui.container { horizontal = true, gap = "small", key = "badges" }
for _, color in ipairs { "blue", "green", "orange", "red", "violet", "gray" } do
  badges:badge(color, { color = color })
end
badges:badge("new", { color = "primary", icon = "star", help = "A badge may have an icon." })

-- ---- data ----

ui.header("Data", { divider = "green" })
local moons = {
  { moon = "Luna", planet = "Earth", diameter = 3474, found = false },
  { moon = "Titan", planet = "Saturn", diameter = 5149, found = 1655 },
  { moon = "Europa", planet = "Jupiter", diameter = 3122, found = 1610 },
}
ui.table(moons, { columns = { "moon", "planet", "diameter" }, border = "horizontal" })
local numbered, tree = ui.columns(2)
numbered:table({ { 1, 2, 3 }, { 4, 5, 6 } }, { hide_index = false, hide_header = true })
tree:json({
  id = bson.oid "65a1b2c3d4e5f60718293a4b", price = bson.decimal "19.90", tags = { "new", "red" },
  at = bson.date "2026-01-02T03:04:05Z", stock = { berlin = 3, oslo = bson.null }, big = bson.int64 "9007199254740993",
}, { expanded = 1 })
ui.write(moons[1])

-- ---- what can be set ----

ui.header("Widgets", { divider = "violet" })
local one, two = ui.columns(2, { gap = "large" })

one:checkbox("A box to tick", { value = true, disabled = quiet })
one:toggle("A switch", { key = "switch", disabled = quiet })
one:radio("One of a few", { "small", "medium", "large" },
  { index = 2, captions = { "fits in a pocket", "fits in a bag", "needs a cart" }, disabled = quiet })
one:radio("Side by side", { 1, 2, 3 }, { horizontal = true, format_func = function(n) return "no. " .. n end, disabled = quiet })
one:selectbox("One of many", { "Luna", "Titan", "Europa", "Io", "Callisto" }, { key = "moon", disabled = quiet })
one:selectbox("None at first", { "Phobos", "Deimos" }, { index = false, placeholder = "Choose a moon", disabled = quiet })
one:selectbox("Searched while typing", { "Ariel", "Miranda", "Oberon", "Titania", "Umbriel" }, { filter_mode = "fuzzy", disabled = quiet })
one:multiselect("Any number", { "red", "green", "blue", "violet" },
  { default = { "green", "blue" }, max_selections = 3, placeholder = "Colours", disabled = quiet })

two:slider("A number", { min = -1, max = 1, value = 0.25, step = 0.05, format = "%.2f", disabled = quiet })
two:slider("A range", { min = 0, max = 24, value = { 8, 17 }, help = "From and to.", disabled = quiet })
two:slider("A day", { min = bson.date "2026-01-01", max = bson.date "2026-12-31", value = bson.date "2026-06-21", disabled = quiet })
two:number_input("Typed or stepped", { min = 0, max = 10, value = 3, icon = "box", disabled = quiet })
two:number_input("With two digits", { value = 1.5, step = 0.25, format = "%.2f", disabled = quiet })
two:text_input("A line of text", { placeholder = "Type, then press Enter", disabled = quiet })
two:text_input("An address", { type = "email", required = true, value = "selene@example.org", icon = "mail", disabled = quiet })
two:text_input("A secret", { type = "password", autocomplete = "off", disabled = quiet })
two:text_area("Several lines", { value = "One\nTwo", height = 120, max_chars = 200, disabled = quiet })

-- ---- what can be pressed ----

ui.subheader "Buttons"
ui.state.presses = ui.state.presses or 0
local function add(n) ui.state.presses = ui.state.presses + n end
local row = ui.container { horizontal = true, key = "buttons" }
row:button("Add one", { type = "primary", on_click = add, args = { 1 }, disabled = quiet, icon = "plus" })
row:button("Add ten", { on_click = add, args = { 10 }, disabled = quiet, help = "Ctrl+K does it too.", shortcut = "Ctrl+K" })
if row:button("Say it", { type = "tertiary", disabled = quiet, icon = "bell", icon_position = "right" }) then
  ui.toast("There are " .. ui.state.presses .. " presses.", { icon = "bell", duration = "long" })
end
ui.text("Presses so far: " .. ui.state.presses)

-- ---- how it goes ----

ui.header("Messages", { divider = "orange" })
ui.success("The order is on its way.", { icon = "check" })
ui.info("A note with a title says first what it is about.", { title = "Good to know" })
ui.warning("The stock is low: **3** are left.")
ui.error("The printer does not answer. Is it switched on?", { title = "Not printed" })
local ok, problem = pcall(function() error("This error was caught, and is only shown.") end)
if not ok then ui.exception(problem) end

local steps = ui.status("A task of three steps", { state = "complete" })
steps:text "Read the list"
steps:text "Weighed every moon"
steps:text "Wrote the result"
ui.spinner("Only seen when it takes longer than half a second", function() ui.sleep(0) end)

-- ---- where things stand ----

ui.header("Layout", { divider = "red" })
local card, scroll = ui.columns(2, { vertical_alignment = "top" })
card:container({ border = true, key = "card" })(function()
  ui.subheader "A card"
  ui.write "A container with a border. What is drawn inside a function lands here."
end)
local list = scroll:container { border = true, height = 160, key = "list" }
for i = 1, 12 do list:text("Line " .. i .. " of a box that scrolls") end

local monthly, yearly = ui.tabs({ "Monthly", "Yearly" }, { default = "Yearly" })
monthly:write "One payment a month."
yearly:write "One payment a year, and two months are free."

local more = ui.expander("More words", { icon = "book", on_change = "rerun", key = "more" })
more:write(more.open and "An expander may tell that it is open, and is filled only then." or "Nobody reads this.")
ui.expander("Open at first", { expanded = true })(function()
  ui.caption "It can be closed."
end)
ui.expander("Read the list", { type = "step", icon = "check" }):write "Three moons are on it."
ui.expander("Weigh every moon", { type = "step", icon = "clock", expanded = true })(function()
  ui.write "Steps follow each other closely, and a line joins them."
end)
ui.expander("Write the result", { type = "step" }):write "It has not begun."

local place = ui.empty()
place:info "This is replaced at once,"
place:success "and only the last one stays: `ui.empty` holds one element."
