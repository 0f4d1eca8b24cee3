/* Pages for tests: one with every element, drawn as a script would. */
import { Binary, Decimal128, Long, ObjectId, Timestamp } from "bson";
import { inserts } from "./fake_host.mjs";

const wave = (base, step) => Array.from({ length: 28 }, (_, i) => base + i * step + Math.sin(i * 1.7) * step * 4 + Math.cos(i * 0.6) * step * 3);

const text = [
  ["title", { body: "All elements", id: 1 }],
  ["caption", { body: "Each element as a script draws it, from `gallery.lua`" }],
  ["columns", { spec: 4 }, [
    ["column", {}, [["metric", { id: 2, label: "Revenue", value: 1284930, format: "dollar", delta: "12.4%", delta_description: "from $1,143,176", chart_data: wave(20, 1), chart_type: "area" }]]],
    ["column", {}, [["metric", { label: "Orders", value: 18204, delta: "8.1%", delta_description: "from 16,840", chart_data: wave(10, 0.8), chart_type: "area" }]]],
    ["column", {}, [["metric", { label: "Average order", value: "$70.58", delta: 4, delta_description: "from $67.88", chart_data: wave(50, 0.4), chart_type: "line" }]]],
    ["column", {}, [["metric", { label: "Refund rate", value: 0.0231, format: "percent", delta: "-0.42 pt", delta_color: "inverse", delta_description: "from 2.73%", chart_data: wave(30, -0.7), chart_type: "bar", help: "Share of orders." }]]],
  ]],
  ["header", { body: "Text" }],
  ["markdown", { id: 3, body: "Body text is set at 14.5 pixels and never runs wider than 72 letters. It may hold **bold**, *emphasis*, `inline code` and [a link](https://example.org). Colours: :red[red], :green[green], :blue-background[a blue ground], :small[small], :violet-badge[Badge] and :orange[**bold orange**].\n\n- Lists are quiet: small marks, no extra air.\n- Numbers line up: 1,284,930.\n\n> A quotation stands back a little.\n\n| Name | Price |\n| --- | ---: |\n| Espresso | 2.80 |\n| Cortado | 3.20 |", help: "A tooltip with **bold** text." }],
  ["subheader", { body: "A subheader", divider: true }],
  ["text", { body: "Plain text, *as it is*.\nTwo lines." }],
  ["container", { horizontal: true }, [
    ["badge", { label: "Neutral", color: "gray" }], ["badge", { label: "New", color: "primary" }], ["badge", { label: "Paid", color: "green", icon: "check" }],
    ["badge", { label: "Packing" }], ["badge", { label: "On hold", color: "orange" }], ["badge", { label: "Refunded", color: "red" }],
    ["badge", { label: "Violet", color: "violet" }], ["badge", { label: "Yellow", color: "yellow" }],
  ]],
  ["divider"],
  ["code", { body: "local ui = require \"moonlit\"\nlocal mongo = require \"moonlit.mongo\"\n\n-- Reads like a plain call; nothing waits.\nfor order in orders:find({ store = store }, { limit = 10 }) do\n  ui.write(order)\nend", line_numbers: true }],
];

const data = [
  ["header", { body: "Data" }],
  ["table", { id: 4, rows: [
    { _id: new ObjectId("65f0a1b2c3d4e5f6a7b8c9d0"), name: "Espresso", price: 2.8, stock: 148, fresh: true, added: new Date("2026-11-20T09:30:00Z") },
    { _id: new ObjectId("65f0a1b2c3d4e5f6a7b8c9d1"), name: "Cortado", price: 3.25, stock: 96, fresh: false, added: new Date("2026-11-21T14:02:00Z") },
    { _id: new ObjectId("65f0a1b2c3d4e5f6a7b8c9d2"), name: "Cold brew", price: 4, stock: null, fresh: true, added: new Date("2026-11-23T08:15:00Z"), tags: ["cold", "new"] },
    { _id: new ObjectId("65f0a1b2c3d4e5f6a7b8c9d3"), name: "Winter blend", price: 14.5, stock: 1204, fresh: true, added: new Date("2026-11-24T10:00:00Z") },
  ] }],
  ["json", { id: 5, body: { _id: new ObjectId("65f0a1b2c3d4e5f6a7b8c9d0"), name: "Espresso", price: Decimal128.fromString("2.80"), big: Long.fromString("9007199254740993"), added: new Date("2026-11-20T09:30:00Z"), tags: ["hot", "classic"], nested: { deep: { deeper: true, none: null } }, bytes: new Binary(Buffer.from("abc")), empty: [], at: new Timestamp({ t: 1700000000, i: 3 }) }, expanded: 2 }],
];

const widgets = [
  ["header", { body: "Widgets" }],
  ["columns", { spec: 3 }, [
    ["column", {}, [
      ["text_input", { id: 20, label: "Customer", value: "Tidewell Offices", help: "Who pays." }],
      ["text_input", { id: 21, label: "Search", placeholder: "Order, customer…", icon: "search" }],
      ["text_input", { id: 22, label: "Password", type: "password", value: "secret" }],
      ["text_area", { id: 23, label: "Note", value: "Deliver to the back door.", max_chars: 60 }],
      ["number_input", { id: 24, label: "Limit", value: 250, min: 0, max: 1000 }],
      ["number_input", { id: 25, label: "Price", value: 14.5, step: 0.5, format: "%.2f", icon: "dollar-sign", disabled: true }],
    ]],
    ["column", {}, [
      ["selectbox", { id: 26, label: "Store", options: ["All stores", "Leith", "Old Town", "Quayside", "Stockbridge"], value: "Quayside" }],
      ["selectbox", { id: 27, label: "Unset", options: ["One", "Two"], placeholder: "Choose a store" }],
      ["multiselect", { id: 28, label: "Channels", options: ["Online", "In store", "Wholesale", "Fairs", "Breakfast club"], value: ["Online", "In store"] }],
      ["selectbox", { id: 29, label: "Open ended", options: ["Red", "Green"], value: "Green", accept_new_options: true }],
      ["slider", { id: 30, label: "How many", min: 0, max: 100, value: 40 }],
      ["slider", { id: 31, label: "Price", min: 0, max: 2000, value: [20, 1400], step: 10, format: "$%,d" }],
    ]],
    ["column", {}, [
      ["checkbox", { id: 32, label: "Include refunds", value: true }],
      ["checkbox", { id: 33, label: "Not **available**", disabled: true }],
      ["toggle", { id: 34, label: "Follow live orders", value: true, help: "Updates by itself." }],
      ["toggle", { id: 35, label: "Quiet" }],
      ["radio", { id: 36, label: "Delivery", options: ["Standard", "Express"], captions: ["Two working days, free", "Tomorrow before noon, $9"], value: "Standard" }],
      ["radio", { id: 37, label: "Group by", options: ["Day", "Week", "Month"], value: "Week", horizontal: true }],
    ]],
  ]],
  ["container", { horizontal: true }, [
    ["button", { id: 40, label: "Save this report", type: "primary", shortcut: "Ctrl+S" }],
    ["button", { id: 41, label: "Download CSV", icon: "download" }],
    ["button", { id: 42, label: "Close the month", disabled: true }],
    ["button", { id: 43, label: "Copy the link", type: "tertiary" }],
  ]],
];

const status = [
  ["header", { body: "Status" }],
  ["info", { body: "Prices are shown with tax. Change this in the [settings](#settings)." }],
  ["success", { id: 50, title: "The import is complete", body: "18,204 orders were read, none was left out." }],
  ["warning", { body: "Stock for Stockbridge was last counted 12 days ago." }],
  ["error", { title: "The month could not be closed", body: "Two orders are still on hold. Settle them first, then try again." }],
  ["exception", { message: "attempt to perform arithmetic on field 'total' (a nil value)", kind: "Script error", file: "sales.lua", line: 42,
    source: [[40, "local function revenue_of(list)"], [41, "  local sum = 0"], [42, "  for _, order in ipairs(list) do sum = sum + order.total end"], [43, "  return sum"], [44, "end"]],
    traceback: ["sales.lua:42: in function 'revenue_of'", "sales.lua:57: in function 'draw_overview'", "sales.lua:96: in main chunk"] }],
  ["columns", { spec: 2 }, [
    ["column", {}, [
      ["progress", { id: 51, value: 0.62, text: "Reading the orders" }],
      ["spinner", { text: "Asking the database", show_time: true }],
    ]],
    ["column", {}, [
      ["status", { label: "Closing the month", expanded: true }, [["text", { body: "Read 18,204 orders" }], ["text", { body: "Write the ledger" }]]],
      ["status", { label: "October is closed", state: "complete" }, [["text", { body: "Done" }]]],
      ["status", { label: "September failed at step 2", state: "error" }, [["text", { body: "No" }]]],
    ]],
  ]],
];

const layout = [
  ["header", { body: "Layout" }],
  ["columns", { spec: [2, 1, 1] }, [
    ["column", { weight: 2 }, [["container", { border: true }, [["subheader", { body: "Deliveries" }], ["caption", { body: "A card is a hairline and a step of surface." }]]]]],
    ["column", {}, [["container", { border: true, height: 90 }, [["text", { body: "This box scrolls.\n\nLine\n\nLine\n\nLine\n\nLine" }]]]]],
    ["column", {}, [["metric", { label: "Alone", value: 84, delta: "-31%", border: true }]]],
  ]],
  ["tabs", { id: 60, labels: ["Orders", "Products", "Refunds"] }, [
    ["tab", { label: "Orders" }, [["text", { body: "What the first tab holds" }]]],
    ["tab", { label: "Products" }, [["text", { body: "The second" }]]],
    ["tab", { label: "Refunds" }, [["text", { body: "The third" }]]],
  ]],
  ["expander", { label: "How these figures are made" }, [["text", { body: "Hidden at first" }]]],
  ["expander", { label: "Open", expanded: true, icon: "info" }, [["markdown", { body: "Its body is set in from the title, so that the chevron stands alone." }]]],
  ["empty", {}, [["text", { body: "In an empty" }]]],
  ["empty", {}],
];

const sidebar = [
  ["header", { body: "Filters", id: 70 }],
  ["selectbox", { id: 71, label: "Shop", options: ["All shops", "Leith"], value: "All shops" }],
  ["multiselect", { id: 72, label: "Ways", options: ["Online", "In store", "Wholesale"], value: ["Online", "In store", "Wholesale"] }],
  ["slider", { id: 73, label: "Order value", min: 0, max: 2000, value: [20, 1400], format: "$%,d" }],
  ["checkbox", { id: 74, label: "Include returns", value: true }],
  ["toggle", { id: 75, label: "Live" , value: true }],
];

export function gallery() {
  const counter = { next: 1000 };
  return [
    ...inserts([...text, ...data, ...widgets, ...status, ...layout], 1, counter),
    ...inserts(sidebar, 2, counter),
    ...inserts([["toast", { body: "Report saved", icon: "circle-check", duration: "infinite" }]], 3, counter),
    ...inserts([["caption", { body: "Pinned below the page" }]], 4, counter),
  ];
}
