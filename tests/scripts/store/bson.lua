local bson = require "store.bson"
local notation = require "notation"
local read, show, value = notation.read, notation.show, notation.value

local ALL = '{a: 1, b: 1.5, c: long(9007199254740993), d: "x", e: null, f: [1, {g: []}], h: true, i: date(-5), ' ..
  'j: oid("0102030405060708090a0b0c"), k: dec("1.50"), l: /a.c/i, m: undefined, n: bin("00ff"), o: minkey, ' ..
  'p: maxkey, q: ts(7, 9), r: {}, s: sym("y"), t: code("z"), u: nan, v: -inf, w: ""}'

describe("reading", function()
  it("finds each field with its type", function()
    local doc = read(ALL)
    expect(show(doc)):to_be(ALL)
    expect((bson.get(doc, "c"))):to_be(bson.INT64)
    expect(select(2, bson.get(doc, "c")) == 9007199254740993LL):to_be(true)
  end)
  it("tells missing, null and undefined apart", function()
    local doc = read "{a: null, b: undefined}"
    expect((bson.get(doc, "a"))):to_be(10)
    expect((bson.get(doc, "b"))):to_be(6)
    expect((bson.get(doc, "c"))):to_be(0)
  end)
  it("does not take a longer name for a shorter one", function()
    expect((bson.get(read "{ab: 1}", "a"))):to_be(0)
    expect((bson.get(read "{a: 1}", "ab"))):to_be(0)
  end)
  it("finds the last of many fields", function()
    local fields = {}
    for i = 1, 60 do
      fields[i] = { "field" .. i, i }
    end
    local doc = bson.build(fields)
    for _, i in ipairs { 1, 15, 16, 17, 18, 60 } do
      expect(select(2, bson.get(doc, "field" .. i))):to_be(i)
    end
    expect((bson.get(doc, "field61"))):to_be(0)
  end)
  it("reads the bytes of a constant in compiled code too", function()
    local raw = require "store.raw"
    local names, sum = { "a", "b" }, 0
    for i = 1, 2000 do
      local p = raw.pointer("\19\0\0\0\16a\0\1\0\0\0\16b\0\2\0\0\0\0")
      local _, o = raw.find(p, 0, names[i % 2 + 1])
      sum = sum + raw.int32(p, o)
    end
    expect(sum):to_be(3000)
  end)
  it("follows a dotted path through documents only", function()
    expect(show(bson.path(read "{a: {b: {c: 5}}}", "a.b.c"))):to_be("5")
    expect(show(bson.path(read "{a: [{b: 5}]}", "a.b"))):to_be("missing")
  end)
end)

describe("building", function()
  it("writes whole numbers as int32, then int64, and fractions as double", function()
    expect(show(bson.build { { "a", 3 }, { "b", 2 ^ 40 }, { "c", 0.5 }, { "d", bson.double(3) } }))
      :to_be("{a: 3, b: long(1099511627776), c: 0.5, d: 3.0}")
  end)
  it("leaves absent values out and keeps the order", function()
    expect(show(bson.build { { "z", 1 }, { "y", nil }, { "a", bson.null } })):to_be("{z: 1, a: null}")
  end)
  it("gives ObjectIds that differ", function()
    expect(bson.oid().v ~= bson.oid().v):to_be(true)
    expect(#bson.oid().v):to_be(12)
  end)
  it("grows for large values", function()
    local text = ("x"):rep(100000)
    expect(select(2, bson.get(bson.build { { "a", text } }, "a"))):to_be(text)
  end)
  it("refuses a document above 16 MB", function()
    local half = ("x"):rep(9 * 1024 * 1024)
    expect(function() bson.build { { "a", half }, { "b", half } } end):to_raise(10334)
  end)
end)

describe("the order", function()
  local function compare(a, b)
    local x, y = value(a), value(b)
    return bson.compare(x.t, x.v, y.t, y.v)
  end
  it("goes by type, then by value", function()
    local ascending = { "minkey", "undefined", "null", "nan", "-inf", "-1", "0", "1.5", "long(2)", 'dec("2.5")', "inf",
      '""', '"a"', '"ab"', '"b"', "{}", "{a: 1}", "{a: 2}", "{b: 1}", "[]", "[1]", "[1, 2]", "[2]", 'bin("00")',
      'bin("0000")', 'oid("000000000000000000000001")', "false", "true", "date(-1)", "date(1)", "ts(1, 1)", "ts(1, 2)",
      "ts(4000000000, 0)", "/a/", "/b/", 'code("a")', "maxkey" }
    for i = 1, #ascending do
      for j = 1, #ascending do
        local wanted = i < j and -1 or (i > j and 1 or 0)
        if compare(ascending[i], ascending[j]) ~= wanted then
          error(ascending[i] .. " against " .. ascending[j])
        end
        local x, y = value(ascending[i]), value(ascending[j])
        local k, l = bson.key(x.t, x.v), bson.key(y.t, y.v)
        if i ~= j and not (ascending[i] == "undefined") and (k < l) ~= (i < j) then
          error("keys of " .. ascending[i] .. " and " .. ascending[j])
        end
      end
    end
  end)
  it("compares numbers of all types exactly", function()
    expect(compare("1", "1.0")):to_be(0)
    expect(compare("long(1)", 'dec("1.00")')):to_be(0)
    expect(compare("long(9007199254740993)", "9007199254740992.0")):to_be(1)
    expect(compare("long(9223372036854775807)", "9223372036854775808.0")):to_be(-1)
    expect(compare("long(-9223372036854775808)", "-9223372036854775808.0")):to_be(0)
    expect(compare('dec("0.1")', "0.1")):to_be(-1)
    expect(compare('dec("1e400")', "1e308")):to_be(1)
    expect(compare("0.0", "-0.0")):to_be(0)
  end)
  it("regards the order of fields in documents, and no index names in arrays", function()
    expect(compare("{a: 1, b: 2}", "{b: 2, a: 1}")):to_be(-1)
    expect(compare("{a: 1}", "{a: 1.0}")):to_be(0)
  end)
end)

describe("random documents", function()
  local seed = 20240611
  math.randomseed(seed)
  local random = math.random
  local function number()
    local kind = random(6)
    if kind == 1 then
      return bson.int32(random(-3, 3))
    elseif kind == 2 then
      return bson.box(18, bson.int64(2 ^ 53 * random(-2, 2)).v + random(-3, 3))
    elseif kind == 3 then
      return bson.double(2 ^ 53 * random(-2, 2) + random(-3, 3))
    elseif kind == 4 then
      return bson.double((random() - 0.5) * 10 ^ random(-300, 300))
    elseif kind == 5 then
      return value(string.format('dec("%s%de%d")', random(2) == 1 and "-" or "", random(0, 9999), random(-20, 20)))
    end
    return bson.double(random(-30, 30) / 10)
  end
  local function any(depth)
    local kind = random(depth > 0 and 14 or 11)
    if kind <= 4 then
      return number()
    elseif kind == 5 then
      local chars = {}
      for i = 1, random(0, 4) do
        chars[i] = string.char(random(2) == 1 and random(0, 2) or random(0, 127))
      end
      return bson.box(2, table.concat(chars))
    elseif kind == 6 then
      return random(2) == 1 and bson.null or bson.box(8, random(2) == 1)
    elseif kind == 7 then
      return bson.date(random(-5, 5))
    elseif kind == 8 then
      return bson.binary(("\255"):rep(random(0, 3)), random(0, 1))
    elseif kind == 9 then
      return bson.timestamp(random(0, 2), random(0, 2))
    elseif kind == 10 then
      return bson.oid(string.char(random(0, 255)):rep(12))
    elseif kind == 11 then
      return random(2) == 1 and bson.min_key or bson.max_key
    end
    local fields = {}
    for i = 1, random(0, 3) do
      fields[i] = { ("abc"):sub(i, i), any(depth - 1) }
    end
    local doc = bson.build_value(fields)
    return random(2) == 1 and doc or bson.box(4, doc.v)
  end

  it("come out of the writer as they went in (seed " .. seed .. ")", function()
    for _ = 1, pressed and 40 or 3000 do
      local doc = bson.build { { "x", any(3) }, { "y", any(3) } }
      local w = bson.writer():reset()
      for name, t, v in bson.each(doc) do
        w:put(name, t, v)
      end
      if w:finish() ~= doc then
        error(show(doc))
      end
    end
  end)
  it("are in one total order, and their keys are in the same (seed " .. seed .. ")", function()
    local values = {}
    for i = 1, pressed and 12 or 220 do
      values[i] = any(2)
      values[i].key = bson.key(values[i].t, values[i].v)
    end
    local function order(a, b) return bson.compare(a.t, a.v, b.t, b.v) end
    for i = 1, #values do
      for j = 1, #values do
        local a, b = values[i], values[j]
        local result = order(a, b)
        local by_key = a.key < b.key and -1 or (a.key > b.key and 1 or 0)
        if result ~= 0 - order(b, a) or result ~= by_key then
          error(show(a.t, a.v) .. " against " .. show(b.t, b.v) .. ": " .. result .. " by key " .. by_key)
        end
      end
    end
    table.sort(values, function(a, b) return order(a, b) < 0 end)
    for i = 2, #values do
      if order(values[i - 1], values[i]) > 0 then
        error("not sorted")
      end
    end
  end)
end)
