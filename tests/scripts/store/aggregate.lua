local bson = require "store.bson"
local aggregate = require "store.aggregate"
local notation = require "notation"
local read, show = notation.read, notation.show

local DOCS = { '{_id: 1, k: "a", v: 1, l: [1, 2]}', '{_id: 2, k: "b", v: 2.5, l: []}', '{_id: 3, k: "a", v: long(4)}',
  '{_id: 4, v: null, l: 7}', '{_id: 5, k: null, l: null}' }

local ticks = 0
local function context(extra)
  local result = { tick = function() ticks = ticks + 1 end, random = function() return 0.5 end }
  for name, value in pairs(extra or {}) do
    result[name] = value
  end
  return result
end

local function run(pipeline, docs, extra)
  local i = 0
  local source = function()
    i = i + 1
    return docs[i] and read(docs[i])
  end
  local out = {}
  for doc in aggregate.run(aggregate.compile(read(pipeline), context(extra)), source) do
    out[#out + 1] = show(doc)
  end
  return table.concat(out, " ")
end

local function gives(pipeline, wanted, docs)
  local got = run(pipeline, docs or DOCS)
  if got ~= wanted then
    error(string.format("%s gives %s, not %s", pipeline, got, wanted), 2)
  end
end

local function refuses(pipeline, code, extra)
  expect(function() run(pipeline, DOCS, extra) end):to_raise(code)
end

describe("simple stages", function()
  it("filter, cut and count", function()
    gives('[{$match: {k: "a"}}, {$project: {v: 1}}]', "{_id: 1, v: 1} {_id: 3, v: long(4)}")
    gives("[{$skip: 3}, {$limit: 1}, {$unset: [\"v\", \"l\"]}]", "{_id: 4}")
    gives('[{$count: "n"}]', "{n: 5}")
    gives('[{$match: {_id: 99}}, {$count: "n"}]', "")
    gives('[{$limit: 1}, {$set: {w: {$add: ["$v", 1]}}}, {$replaceWith: {x: "$w"}}]', "{x: 2}")
    gives('[{$limit: 1}, {$replaceRoot: {newRoot: {$mergeObjects: [{z: 1}, {y: "$k"}]}}}]', '{z: 1, y: "a"}')
    gives("[]", "{a: 1}", { "{a: 1}" })
  end)
  it("sort, keeping few when a limit follows", function()
    gives("[{$sort: {_id: -1}}, {$skip: 1}, {$limit: 2}, {$project: {_id: 1}}]", "{_id: 4} {_id: 3}")
    gives("[{$sort: {v: 1}}, {$project: {_id: 1}}]", "{_id: 4} {_id: 5} {_id: 1} {_id: 2} {_id: 3}")
  end)
  it("sample", function()
    gives("[{$sample: {size: 9}}, {$count: \"n\"}]", "{n: 5}")
    gives("[{$sample: {size: 2}}, {$count: \"n\"}]", "{n: 2}")
  end)
  it("refuse wrong arguments and unknown stages", function()
    refuses("[{$limit: 0}]", 15958)
    refuses("[{$skip: -1}]", 15956)
    refuses('[{$count: "$x"}]', 40156)
    refuses("[{$match: 1}]", 15959)
    refuses("[{$sort: {}}]", 15976)
    refuses("[{$nope: 1}]", 40324)
    refuses("[{$match: {}, $limit: 1}]", 40323)
    refuses("[1]", 40323)
    refuses('[{$out: "x"}]', 115)
    refuses("[{$facet: {}}]", 115)
    refuses('[{$replaceWith: "$k"}]', 40228)
    refuses("[{$replaceRoot: {}}]", 40231)
    refuses('[{$sample: {size: "x"}}]', 28747)
  end)
end)

describe("$group", function()
  it("takes missing for null and equal numbers for one", function()
    gives('[{$group: {_id: "$k", n: {$sum: 1}}}]', '{_id: "a", n: 2} {_id: "b", n: 1} {_id: null, n: 2}')
    gives('[{$group: {_id: "$x", n: {$count: {}}}}]', "{_id: 1, n: 4} {_id: 2, n: 1}",
      { "{x: 1}", "{x: 1.0}", "{x: long(1)}", "{x: 2}", '{x: dec("1")}' })
    gives('[{$group: {_id: {a: "$x", b: "$y"}, n: {$sum: 1}}}]', "{_id: {a: 1}, n: 2} {_id: {a: 1, b: null}, n: 1}",
      { "{x: 1}", "{x: 1.0}", "{x: 1, y: null}" })
    gives('[{$group: {_id: "$x", n: {$sum: 1}}}]', "{_id: nan, n: 2} {_id: long(9007199254740993), n: 1} {_id: 9007199254740992.0, n: 1}",
      { "{x: nan}", "{x: nan}", "{x: long(9007199254740993)}", "{x: 9007199254740992.0}" })
    gives('[{$group: {_id: "$x", n: {$sum: 1}}}]', '{_id: "1", n: 1} {_id: 1, n: 1} {_id: true, n: 2} {_id: [1], n: 1}',
      { '{x: "1"}', "{x: 1}", "{x: true}", "{x: true}", "{x: [1]}" })
  end)
  it("sums and averages over mixed number types, leaving others out", function()
    gives('[{$group: {_id: null, s: {$sum: "$v"}, a: {$avg: "$v"}}}]', "{_id: null, s: 7.5, a: 2.5}")
    gives('[{$group: {_id: null, s: {$sum: "$x"}}}]', "{_id: null, s: long(4294967294)}", { "{x: 2147483647}", "{x: 2147483647}" })
    gives('[{$group: {_id: null, s: {$sum: "$x"}}}]', "{_id: null, s: long(3)}", { "{x: 1}", "{x: long(2)}", '{x: "z"}' })
    gives('[{$group: {_id: null, s: {$sum: "$x"}}}]', "{_id: null, s: 9.2233720368547758e+18}",
      { "{x: long(9223372036854775807)}", "{x: 1}" })
    gives('[{$group: {_id: null, s: {$sum: "$x"}, a: {$avg: "$x"}}}]', "{_id: null, s: 0, a: null}", { "{}", '{x: "y"}' })
    gives('[{$group: {_id: null, s: {$sum: "$x"}}}]', "{_id: null, s: 0.6}", { "{x: 0.1}", "{x: 0.2}", "{x: 0.3}" })
    gives('[{$group: {_id: null, s: {$sum: "$x"}}}]', "{_id: null, s: inf}", { "{x: inf}", "{x: 1.0}", "{x: 2.0}" })
  end)
  it("keeps extremes, first, last and lists", function()
    gives('[{$group: {_id: null, a: {$min: "$v"}, b: {$max: "$v"}, c: {$first: "$k"}, d: {$last: "$k"}}}]',
      '{_id: null, a: 1, b: long(4), c: "a", d: null}')
    gives('[{$group: {_id: null, a: {$push: "$k"}, b: {$addToSet: "$x"}}}]', '{_id: null, a: ["a", "b", "a", null], b: []}')
    gives('[{$group: {_id: null, b: {$addToSet: "$x"}}}]', "{_id: null, b: [1, 2]}", { "{x: 1}", "{x: 1.0}", "{x: 2}" })
    gives('[{$group: {_id: null, a: {$min: "$x"}, b: {$last: "$x"}}}]', "{_id: null, a: null, b: null}", { "{}", "{}" })
    gives('[{$group: {_id: null, m: {$mergeObjects: "$o"}}}]', "{_id: null, m: {a: 1, b: 2}}", { "{o: {a: 1}}", "{o: {b: 2}}", "{}" })
    gives('[{$group: {_id: null, m: {$stdDevPop: "$x"}, s: {$stdDevSamp: "$y"}}}]', "{_id: null, m: 1.0, s: null}", { "{x: 1}", "{x: 3}" })
  end)
  it("keeps many groups apart", function()
    local docs = {}
    local groups = pressed and 30 or 2500
    for i = 1, 2 * groups do
      docs[i] = string.format("{x: %d, y: 1}", i % groups)
    end
    gives('[{$group: {_id: "$x", n: {$sum: "$y"}}}, {$match: {n: 2}}, {$count: "c"}]', "{c: " .. groups .. "}", docs)
  end)
  it("refuses what is malformed", function()
    refuses("[{$group: {n: {$sum: 1}}}]", 15955)
    refuses("[{$group: {_id: 1, n: 1}}]", 40234)
    refuses("[{$group: {_id: 1, n: {$nope: 1}}}]", 15952)
    refuses("[{$group: {_id: 1, n: {$topN: {}}}}]", 115)
    refuses("[{$group: {_id: 1, n: {$sum: 1, $avg: 1}}}]", 40238)
    refuses('[{$group: {_id: 1, "a.b": {$sum: 1}}}]', 40235)
    refuses("[{$group: 1}]", 15947)
    expect(function() run('[{$group: {_id: 1, n: {$sum: "$x"}}}]', { '{x: dec("1")}' }) end):to_raise(115)
  end)
  it("ends at its memory limit", function()
    refuses('[{$group: {_id: "$_id"}}]', 292, { memory_limit = 300 })
    refuses('[{$group: {_id: null, l: {$push: "$$ROOT"}}}]', 292, { memory_limit = 300 })
    refuses("[{$sort: {_id: 1}}]", 292, { memory_limit = 300 })
    refuses("[{$sample: {size: 5}}]", 292, { memory_limit = 100 })
    local long = { "{_id: 1, s: \"" .. ("x"):rep(1000) .. '"}' }
    for _, accumulator in ipairs { "$first", "$last", "$max", "$min", "$mergeObjects" } do
      local pipeline = '[{$group: {_id: "$_id", v: {' .. accumulator .. ': "$$ROOT"}}}]'
      expect(function() run(pipeline, long, { memory_limit = 1000 }) end):to_raise(292)
      run(pipeline, long, { memory_limit = 1300 })
    end
  end)
  it("counts what a group lets go of back", function()
    local docs = {}
    for i = 1, 100 do
      docs[i] = string.format('{_id: %d, s: "%s"}', i, ("x"):rep(50))
    end
    expect(run('[{$group: {_id: null, v: {$last: "$$ROOT"}}}, {$count: "n"}]', docs, { memory_limit = 400 })):to_be("{n: 1}")
  end)
  it("$sortByCount counts and sorts", function()
    gives('[{$sortByCount: "$k"}]', '{_id: "a", count: 2} {_id: "b", count: 1}', { '{k: "b"}', '{k: "a"}', '{k: "a"}' })
    refuses("[{$sortByCount: 1}]", 40147)
  end)
end)

describe("$unwind", function()
  it("gives a document for each element, one for a value, none for nothing", function()
    gives('[{$unwind: "$l"}, {$project: {l: 1}}]', "{_id: 1, l: 1} {_id: 1, l: 2} {_id: 4, l: 7}")
    gives('[{$unwind: {path: "$l", preserveNullAndEmptyArrays: true}}, {$project: {l: 1}}]',
      "{_id: 1, l: 1} {_id: 1, l: 2} {_id: 2} {_id: 3} {_id: 4, l: 7} {_id: 5, l: null}")
    gives('[{$unwind: {path: "$a.b", includeArrayIndex: "i"}}]', "{a: {x: 1, b: 5}, c: 2, i: long(0)} {a: {x: 1, b: 6}, c: 2, i: long(1)}",
      { "{a: {x: 1, b: [5, 6]}, c: 2}" })
    gives('[{$unwind: {path: "$l", includeArrayIndex: "i"}}]', "{l: 7, i: null}", { "{l: 7}" })
  end)
  it("enters no array on the way", function()
    gives('[{$unwind: "$a.b"}]', "", { "{a: [{b: [1, 2]}]}" })
    gives('[{$unwind: {path: "$a.b", preserveNullAndEmptyArrays: true}}]', "{a: [{b: [1, 2]}]}", { "{a: [{b: [1, 2]}]}" })
  end)
  it("makes one document at a time", function()
    local ticks_before = ticks
    local next = aggregate.run(aggregate.compile(read '[{$unwind: "$l"}]', context()), (function()
      local doc = read("{l: [" .. ("1, "):rep(999) .. "1]}")
      return function()
        local one = doc
        doc = nil
        return one
      end
    end)())
    next()
    expect(ticks - ticks_before < 5):to_be(true)
    local n = 1
    for _ in next do
      n = n + 1
    end
    expect(n):to_be(1000)
    expect(ticks - ticks_before > 1000):to_be(true)
  end)
  it("refuses what is malformed", function()
    refuses('[{$unwind: "l"}]', 28818)
    refuses("[{$unwind: 1}]", 15981)
    refuses("[{$unwind: {}}]", 28812)
    refuses('[{$unwind: {path: "$l", nope: 1}}]', 28811)
  end)
end)

describe("around the stages", function()
  it("looks at the clock for every document", function()
    for _, stage in ipairs { "{$match: {_id: 99}}", "{$skip: 99}", '{$count: "n"}', "{$sort: {a: 1}}", "{$group: {_id: 1}}", '{$unwind: "$zz"}',
      "{$set: {a: 1}}", "{$sample: {size: 1}}" } do
      ticks = 0
      run("[" .. stage .. "]", DOCS)
      if ticks < #DOCS then
        error(stage .. " looked " .. ticks .. " times")
      end
    end
  end)
  it("passes on what tick raises", function()
    refuses('[{$group: {_id: 1}}]', 50, { tick = function() require("store.errors").raise(50, "operation exceeded time limit") end })
  end)
  it("stops asking when the limit is met", function()
    local asked = 0
    local out = aggregate.run(aggregate.compile(read "[{$limit: 2}]", context()), function()
      asked = asked + 1
      return read "{a: 1}"
    end)
    while out() do end
    expect(asked):to_be(2)
  end)
  it("tells the planner what leads", function()
    local plan = aggregate.split(read '[{$match: {a: 1}}, {$match: {b: 2}}, {$sort: {a: 1}}, {$skip: 3}, {$limit: 5}, {$count: "n"}]')
    expect(show(plan.filter)):to_be("{$and: [{a: 1}, {b: 2}]}")
    expect(show(plan.sort)):to_be("{a: 1}")
    expect(plan.skip .. " " .. plan.limit):to_be("3 5")
    expect(show(4, plan.rest)):to_be('[{$count: "n"}]')
    plan = aggregate.split(read "[{$limit: 5}, {$match: {a: 1}}]")
    expect(plan.filter):to_be(nil)
    expect(plan.limit):to_be(5)
    expect(show(4, plan.rest)):to_be("[{$match: {a: 1}}]")
    expect(show(4, aggregate.split(read "[]").rest)):to_be("[]")
  end)
end)
