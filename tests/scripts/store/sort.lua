local bson = require "store.bson"
local sort = require "store.sort"
local notation = require "notation"
local read = notation.read

local function ordered(spec, docs, limit, context)
  local c = sort.collector(read(spec), context, limit)
  for _, doc in ipairs(docs) do
    c:add(read(doc))
  end
  local out = {}
  for doc in c:finish() do
    out[#out + 1] = notation.show(doc)
  end
  return table.concat(out, " ")
end

describe("sorting", function()
  it("takes missing for null, and types in the BSON order", function()
    expect(ordered("{a: 1}", { '{a: "x"}', "{a: 2}", "{}", "{a: null}", "{a: long(1)}", "{a: 1.5}", "{a: true}" }))
      :to_be('{} {a: null} {a: long(1)} {a: 1.5} {a: 2} {a: "x"} {a: true}')
  end)
  it("sorts down, and by several fields", function()
    expect(ordered("{a: -1, b: 1}", { "{a: 1, b: 2}", "{a: 2, b: 2}", "{a: 2, b: 1}" }))
      :to_be("{a: 2, b: 1} {a: 2, b: 2} {a: 1, b: 2}")
    expect(ordered("{a: -1}", { '{a: "a"}', '{a: "ab"}', '{a: ""}' })):to_be('{a: "ab"} {a: "a"} {a: ""}')
  end)
  it("takes an element that is no document for one without the field, and a number for a place", function()
    expect(ordered('{"a.b": 1}', { "{a: [{b: 5}]}", "{a: [{b: 9}, 1]}", "{a: {b: 4}}" })):to_be("{a: [{b: 9}, 1]} {a: {b: 4}} {a: [{b: 5}]}")
    expect(ordered('{"a.1": 1}', { "{a: [1, 9]}", "{a: [9, 1]}", "{a: [7]}" })):to_be("{a: [7]} {a: [9, 1]} {a: [1, 9]}")
  end)
  it("takes an array by its least element up and its greatest down", function()
    expect(ordered("{a: 1}", { "{a: [5, 1]}", "{a: 3}", "{a: []}", "{}" })):to_be("{a: []} {} {a: [5, 1]} {a: 3}")
    expect(ordered("{a: -1}", { "{a: [5, 1]}", "{a: 3}", "{a: 6}", "{a: []}" })):to_be("{a: 6} {a: [5, 1]} {a: 3} {a: []}")
  end)
  it("follows dotted paths through arrays", function()
    expect(ordered('{"a.b": 1}', { "{a: [{b: 5}, {b: 2}]}", "{a: {b: 3}}", "{a: 7}", "{a: {b: 1}}" }))
      :to_be("{a: 7} {a: {b: 1}} {a: [{b: 5}, {b: 2}]} {a: {b: 3}}")
  end)
  it("is stable, with a limit too", function()
    local docs = {}
    for i = 1, pressed and 30 or 3000 do
      docs[i] = string.format("{a: %d, i: %d}", i % 3, i)
    end
    expect(ordered("{a: 1}", docs, 4)):to_be("{a: 0, i: 3} {a: 0, i: 6} {a: 0, i: 9} {a: 0, i: 12}")
    expect(ordered("{a: -1}", docs, 2)):to_be("{a: 2, i: 2} {a: 2, i: 5}")
  end)
  it("agrees with the order of values on random numbers (seed 7)", function()
    math.randomseed(7)
    local docs, last, seen, count = {}, nil, 0, pressed and 30 or 2000
    for i = 1, count do
      docs[i] = bson.build { { "a", math.random(2) == 1 and math.random(-1000, 1000) or bson.double(math.random() * 2000 - 1000) } }
    end
    local c = sort.collector(read "{a: 1}", {})
    for _, doc in ipairs(docs) do
      c:add(doc)
    end
    for doc in c:finish() do
      local t, v = bson.get(doc, "a")
      if last and bson.compare(last.t, last.v, t, v) > 0 then
        error("not in order")
      end
      last, seen = bson.box(t, v), seen + 1
    end
    expect(seen):to_be(count)
  end)
  it("ends at its memory limit, unless $limit keeps few", function()
    local docs = {}
    for i = 1, 100 do
      docs[i] = string.format('{a: %d, t: "%s"}', i, ("x"):rep(100))
    end
    expect(function() ordered("{a: 1}", docs, nil, { memory_limit = 2000 }) end):to_raise(292)
    expect((ordered("{a: -1}", docs, 1, { memory_limit = 2000 }):match("a: (%d+)"))):to_be("100")
  end)
  it("refuses other directions and paths", function()
    for spec, code in pairs { ["{a: 2}"] = 15975, ['{a: "x"}'] = 15975, ['{a: {$meta: "textScore"}}'] = 115, ['{"a..b": 1}'] = 40352 } do
      expect(function() sort.compile(read(spec)) end):to_raise(code)
    end
  end)
end)
