local bson = require "store.bson"
local expression = require "store.expression"
local notation = require "notation"

local DOC = '{a: 1, b: 2.5, s: "héllo", n: null, l: long(9007199254740993), arr: [3, 1, 2], docs: [{x: 1}, {x: 2}, {}], ' ..
  'd: date(1700000000123), t: true, o: {p: {q: 7}}, dec: dec("1.5")}'

local function evaluate(text, context)
  local value = notation.value(text)
  local doc = notation.read(DOC)
  local f = expression.compile(value.t, value.v, expression.scope(context or {}))
  return notation.show(f(bson.pointer(doc), doc))
end

-- Pairs: an expression and its result.
local function gives(list)
  for i = 1, #list, 2 do
    local got = evaluate(list[i])
    if got ~= list[i + 1] then
      error(string.format("%s gives %s, not %s", list[i], got, list[i + 1]), 2)
    end
  end
end

local function refuses(text, code)
  expect(function() evaluate(text) end):to_raise(code)
end

describe("fields and variables", function()
  it("read paths, arrays of documents by mapping", function()
    gives { '"$a"', "1", '"$o.p.q"', "7", '"$docs.x"', "[1, 2]", '"$nope"', "missing", '"$a.b"', "missing", '"$n"', "null" }
  end)
  it("know the document, now, and removal", function()
    gives { '"$$ROOT.a"', "1", '"$$CURRENT.o.p"', "{q: 7}", '"$$REMOVE"', "missing" }
    expect(evaluate('"$$NOW"', { now = bson.date(5).v })):to_be("date(5)")
    expect(evaluate('"$$x"', { let = notation.read '{x: {$add: [1, 2]}}' })):to_be("3")
  end)
  it("build documents and arrays", function()
    gives { '{x: "$a", y: {z: "$nope", w: 1}}', "{x: 1, y: {w: 1}}", '["$a", "$nope"]', "[1, null]", "{}", "{}" }
  end)
  it("refuse what is malformed", function()
    refuses('"$$nope"', 17276)
    refuses('"$"', 16872)
    refuses('"$a..b"', 40353)
    refuses("{$nope: 1}", 168)
    for _, name in ipairs { "$sin", "$zip", "$setField", "$regexFind", "$sortArray", "$firstN", "$meta" } do
      refuses("{" .. name .. ": 1}", 115)
    end
    refuses('{$dateFromString: {dateString: "1/1/2024", format: "%d/%m/%Y"}}', 115)
    refuses("{$add: [1], b: 1}", 15983)
  end)
  it("$let hides outer names and computes all before it sets any", function()
    gives {
      '{$let: {vars: {x: 1, y: 2}, in: {$add: ["$$x", "$$y"]}}}', "3",
      '{$let: {vars: {x: 1}, in: {$let: {vars: {x: 5, y: "$$x"}, in: ["$$x", "$$y"]}}}}', "[5, 1]",
      '{$literal: "$a"}', '"$a"',
    }
    refuses('{$let: {vars: {X: 1}, in: 1}}', 9)
  end)
end)

describe("comparison and logic", function()
  it("compares across types by the BSON order", function()
    gives { '{$eq: ["$a", 1.0]}', "true", '{$gt: ["$n", "$nope"]}', "true", '{$lt: ["$b", "x"]}', "true",
      '{$cmp: ["$a", 2]}', "-1", '{$ne: ["$a", "$nope"]}', "true", '{$gte: ["$l", 9007199254740992.0]}', "true" }
  end)
  it("takes null, missing, zero and false for false", function()
    gives { '{$and: ["$a", "$t"]}', "true", '{$and: ["$a", "$n"]}', "false", "{$and: []}", "true", "{$or: []}", "false",
      '{$or: ["$nope", 0, 0.0, "$a"]}', "true", '{$not: ["$n"]}', "true", '{$not: [""]}', "false" }
  end)
  it("chooses", function()
    gives { '{$cond: ["$t", "y", "n"]}', '"y"', '{$cond: {if: "$nope", then: 1, else: 2}}', "2",
      '{$ifNull: ["$n", "$nope", 5]}', "5", '{$ifNull: ["$a", 5]}', "1",
      '{$switch: {branches: [{case: {$gt: ["$a", 5]}, then: "big"}], default: "small"}}', '"small"' }
    refuses('{$switch: {branches: [{case: false, then: 1}]}}', 40066)
    refuses("{$cond: [1, 2]}", 16020)
    refuses("{$cond: {if: 1, then: 2}}", 9)
  end)
end)

describe("arithmetic", function()
  it("keeps number types", function()
    gives { '{$add: ["$a", 1]}', "2", '{$add: ["$a", 1.0]}', "2.0", '{$add: ["$l", 1]}', "long(9007199254740994)",
      "{$add: [2147483647, 1]}", "long(2147483648)", "{$add: [long(9223372036854775807), 1]}", "9.2233720368547758e+18",
      "{$multiply: [3, 4]}", "12", "{$multiply: [65536, 65536]}", "long(4294967296)", "{$multiply: [long(3), 2]}", "long(6)",
      "{$subtract: [5, 7]}", "-2", "{$divide: [6, 3]}", "2.0", "{$mod: [-7, 3]}", "-1", "{$mod: [7.5, 2]}", "1.5",
      "{$add: []}", "0", '{$sum: "$arr"}', "6", '{$avg: "$arr"}', "2.0", '{$min: "$arr"}', "1", '{$max: ["$a", "$b"]}', "2.5" }
  end)
  it("gives null for null and missing", function()
    gives { '{$add: ["$n", 1]}', "null", '{$multiply: ["$nope", 1]}', "null", '{$subtract: ["$n", 1]}', "null",
      '{$divide: ["$n", 1]}', "null", '{$mod: [1, "$nope"]}', "null", '{$abs: "$n"}', "null", '{$sum: "$n"}', "0" }
  end)
  it("moves dates", function()
    gives { '{$add: ["$d", 877]}', "date(1700000001000)", '{$subtract: ["$d", 123]}', "date(1700000000000)",
      '{$subtract: ["$d", {$toDate: 1700000000000.0}]}', "long(123)" }
    refuses('{$add: ["$d", "$d"]}', 16612)
  end)
  it("rounds to even and cuts", function()
    gives { "{$round: [2.5]}", "2.0", "{$round: [3.5]}", "4.0", "{$round: [1.25, 1]}", "1.2", "{$round: [1234, -2]}", "1200",
      "{$trunc: [-2.7]}", "-2.0", "{$trunc: [5]}", "5", "{$ceil: 1.2}", "2.0", "{$floor: -1.2}", "-2.0", "{$floor: 3}", "3",
      "{$abs: -3}", "3", "{$abs: -2147483648}", "long(2147483648)", "{$sqrt: 9}", "3.0", "{$pow: [2, 10]}", "1024",
      "{$pow: [2, 40]}", "long(1099511627776)", "{$pow: [2, -1]}", "0.5", "{$log: [8, 2]}", "3.0", "{$exp: 0}", "1.0" }
  end)
  it("refuses texts, zero divisors and Decimal128", function()
    refuses('{$add: ["$s", 1]}', 14)
    refuses('{$multiply: ["$t", 1]}', 14)
    refuses('{$subtract: ["$s", 1]}', 14)
    refuses("{$divide: [1, 0]}", 2)
    refuses("{$mod: [1, 0]}", 16610)
    refuses("{$sqrt: -1}", 28714)
    refuses("{$ln: 0}", 28766)
    refuses('{$add: ["$dec", 1]}', 115)
    refuses('{$abs: "x"}', 14)
    refuses("{$mod: [1]}", 16020)
  end)
end)

describe("texts", function()
  it("join, cut and search by code points", function()
    gives { '{$concat: ["$s", "!"]}', '"héllo!"', '{$concat: ["$s", "$n"]}', "null", '{$strLenCP: "$s"}', "5",
      '{$strLenBytes: "$s"}', "6", '{$substrCP: ["$s", 1, 2]}', '"él"', '{$substrBytes: ["abc", 1, -1]}', '"bc"',
      '{$toUpper: "abc"}', '"ABC"', '{$toLower: "$n"}', '""', '{$indexOfCP: ["$s", "l"]}', "2", '{$indexOfBytes: ["$s", "l"]}', "3",
      '{$indexOfCP: ["$s", "z"]}', "-1", '{$indexOfBytes: ["abab", "a", 1]}', "2", '{$split: ["a-b-", "-"]}', '["a", "b", ""]',
      '{$strcasecmp: ["A", "a"]}', "0", '{$substrCP: ["abc", 5, 2]}', '""' }
  end)
  it("trim and replace", function()
    gives { '{$trim: {input: "  a b  "}}', '"a b"', '{$ltrim: {input: "xxa", chars: "x"}}', '"a"',
      '{$rtrim: {input: "aéé", chars: "é"}}', '"a"', '{$trim: {input: "$n"}}', "null",
      '{$replaceOne: {input: "aXbX", find: "X", replacement: "-"}}', '"a-bX"',
      '{$replaceAll: {input: "aXbX", find: "X", replacement: "-"}}', '"a-b-"',
      '{$replaceAll: {input: "$n", find: "X", replacement: "-"}}', "null" }
  end)
  it("refuse other types and cut characters", function()
    refuses('{$concat: ["a", 1]}', 16702)
    refuses('{$strLenCP: "$n"}', 34471)
    refuses('{$split: ["a", ""]}', 40087)
    refuses('{$substrBytes: ["$s", 2, 1]}', 28656)
    refuses('{$toUpper: "$arr"}', 16007)
    refuses('{$trim: {input: 1}}', 50699)
  end)
end)

describe("arrays and documents", function()
  it("pick and cut", function()
    gives { '{$size: "$arr"}', "3", '{$arrayElemAt: ["$arr", 0]}', "3", '{$arrayElemAt: ["$arr", -1]}', "2",
      '{$arrayElemAt: ["$arr", 9]}', "missing", '{$first: "$arr"}', "3", '{$last: "$arr"}', "2", '{$first: "$n"}', "null",
      '{$slice: ["$arr", 2]}', "[3, 1]", '{$slice: ["$arr", -2]}', "[1, 2]", '{$slice: ["$arr", 1, 1]}', "[1]",
      '{$reverseArray: "$arr"}', "[2, 1, 3]", '{$concatArrays: ["$arr", [9]]}', "[3, 1, 2, 9]", '{$concatArrays: ["$arr", "$n"]}', "null",
      '{$isArray: "$arr"}', "true", '{$isArray: ["$a"]}', "false" }
    refuses('{$size: "$n"}', 17124)
    refuses('{$arrayElemAt: ["$a", 0]}', 28689)
    refuses('{$slice: ["$arr", 0, 0]}', 28729)
  end)
  it("loop", function()
    gives { '{$map: {input: "$arr", as: "x", in: {$multiply: ["$$x", 2]}}}', "[6, 2, 4]",
      '{$filter: {input: "$arr", cond: {$gt: ["$$this", 1]}}}', "[3, 2]", '{$map: {input: "$n", in: 1}}', "null",
      '{$filter: {input: "$arr", cond: true, limit: 1}}', "[3]",
      '{$reduce: {input: "$arr", initialValue: 0, in: {$add: ["$$value", "$$this"]}}}', "6",
      '{$range: [0, 6, 2]}', "[0, 2, 4]", "{$range: [3, 0, -1]}", "[3, 2, 1]",
      '{$map: {input: "$docs", as: "d", in: "$$d.x"}}', "[1, 2, null]" }
    refuses('{$map: {input: "$a", in: 1}}', 16883)
    refuses("{$range: [0, 1, 0]}", 34449)
    refuses('{$map: {input: [1]}}', 16876)
  end)
  it("search", function()
    gives { '{$in: [1.0, "$arr"]}', "true", '{$in: [9, "$arr"]}', "false", '{$indexOfArray: ["$arr", 2]}', "2",
      '{$indexOfArray: ["$arr", 9]}', "-1" }
    refuses('{$in: [1, "$n"]}', 40081)
  end)
  it("turn documents into arrays and back", function()
    gives { '{$objectToArray: "$o"}', '[{k: "p", v: {q: 7}}]', '{$arrayToObject: [[["a", 1], ["b", 2], ["a", 3]]]}', "{a: 3, b: 2}",
      '{$arrayToObject: {$literal: [{k: "a", v: null}]}}', "{a: null}", '{$mergeObjects: ["$o", {z: 1}, "$n"]}', "{p: {q: 7}, z: 1}",
      '{$getField: "a"}', "1", '{$getField: {field: "q", input: "$o.p"}}', "7" }
    refuses('{$objectToArray: "$a"}', 40390)
    refuses('{$mergeObjects: ["$a"]}', 40400)
  end)
  it("work as sets in which 1 and 1.0 are one", function()
    gives { "{$setUnion: [[1, 2], [2.0, 3]]}", "[1, 2, 3]", "{$setIntersection: [[1, 2], [2, 3]]}", "[2]",
      "{$setDifference: [[1, 2], [2]]}", "[1]", "{$setEquals: [[1, 2], [2, 1, 1.0]]}", "true", "{$setIsSubset: [[1], [1, 2]]}", "true",
      "{$anyElementTrue: [[0, 1]]}", "true", "{$allElementsTrue: [[0, 1]]}", "false", '{$setUnion: ["$n", [1]]}', "null" }
    refuses("{$setEquals: [1, [1]]}", 17044)
  end)
end)

describe("conversions", function()
  it("go between types", function()
    gives { '{$toString: "$a"}', '"1"', '{$toString: "$b"}', '"2.5"', '{$toString: "$l"}', '"9007199254740993"', "{$toString: 3.0}", '"3"',
      '{$toString: "$d"}', '"2023-11-14T22:13:20.123Z"', '{$toString: "$t"}', '"true"', '{$toString: "$dec"}', '"1.5"',
      '{$toInt: "42"}', "42", "{$toInt: 2.9}", "2", "{$toInt: -2.9}", "-2", '{$toLong: "$b"}', "long(2)",
      '{$toLong: "-9223372036854775808"}', "long(-9223372036854775808)", '{$toDouble: "$a"}', "1.0", '{$toDouble: "1e3"}', "1000.0",
      '{$toBool: ""}', "true", "{$toBool: 0}", "false", '{$toInt: "$n"}', "null", '{$toInt: "$nope"}', "null",
      '{$toObjectId: "0102030405060708090a0b0c"}', 'oid("0102030405060708090a0b0c")',
      '{$toDate: "2024-02-29T12:00:00Z"}', "date(1709208000000)", '{$toDate: "2024-02-29T12:00:00.5+02:00"}', "date(1709200800500)",
      '{$type: "$a"}', '"int"', '{$type: "$nope"}', '"missing"', '{$type: "$n"}', '"null"', '{$isNumber: "$l"}', "true",
      '{$convert: {input: "x", to: "int", onError: -1}}', "-1", '{$convert: {input: "$n", to: "int", onNull: 0}}', "0",
      '{$convert: {input: "7", to: 16}}', "7" }
  end)
  it("refuse what cannot be", function()
    refuses('{$toInt: "x"}', 241)
    refuses('{$toInt: "1.5"}', 241)
    refuses("{$toInt: 3000000000.0}", 241)
    refuses('{$toLong: "9223372036854775808"}', 241)
    refuses('{$toInt: "$arr"}', 241)
    refuses('{$toObjectId: "xyz"}', 241)
    refuses('{$toDate: "yesterday"}', 241)
    refuses('{$toDate: "$a"}', 241)
    refuses('{$toDecimal: "1"}', 115)
  end)
end)

describe("dates", function()
  it("have parts", function()
    gives { '{$year: "$d"}', "2023", '{$month: "$d"}', "11", '{$dayOfMonth: "$d"}', "14", '{$hour: "$d"}', "22", '{$minute: "$d"}', "13",
      '{$second: "$d"}', "20", '{$millisecond: "$d"}', "123", '{$dayOfWeek: "$d"}', "3", '{$dayOfYear: "$d"}', "318", '{$isoWeek: "$d"}', "46",
      '{$week: "$d"}', "46", '{$isoWeekYear: {$toDate: "2021-01-03"}}', "long(2020)", '{$isoDayOfWeek: "$d"}', "2",
      '{$hour: {date: "$d", timezone: "+02:00"}}', "0", '{$year: "$n"}', "null", "{$year: {$toDate: -1.0}}", "1969",
      '{$dateToParts: {date: "$d"}}', "{year: 2023, month: 11, day: 14, hour: 22, minute: 13, second: 20, millisecond: 123}" }
    refuses('{$year: "$a"}', 16006)
    refuses('{$year: {date: "$d", timezone: "Europe/Berlin"}}', 115)
  end)
  it("are written and read", function()
    gives { '{$dateToString: {date: "$d"}}', '"2023-11-14T22:13:20.123Z"', '{$dateToString: {date: "$d", format: "%Y-%m-%d"}}', '"2023-11-14"',
      '{$dateToString: {date: "$d", format: "%G-W%V-%u %j %z %%", timezone: "+0530"}}', '"2023-W46-3 319 +0530 %"',
      '{$dateToString: {date: "$n", onNull: "-"}}', '"-"', '{$dateFromString: {dateString: "2024-01-01"}}', "date(1704067200000)",
      '{$dateFromString: {dateString: "x", onError: 0}}', "0", "{$dateFromParts: {year: 2024, month: 14, day: 1}}", "date(1738368000000)" }
    refuses('{$dateToString: {date: "$d", format: "%Q"}}', 18536)
    for _, text in ipairs { "2023-02-29", "2024-13-01", "2024-04-31", "2024-01-01T24:00:00Z", "2024-01-01T10:60", "2024-01-01T10",
      "2024-01-01T10:00:00 later" } do
      refuses('{$toDate: "' .. text .. '"}', 241)
    end
    gives { '{$toDate: "1970-01-01T00:00:00.285Z"}', "date(285)", '{$toDate: "1970-01-01T00:00:00.2859Z"}', "date(285)",
      '{$toDate: "1970-01-01 00:01"}', "date(60000)", '{$toDate: "1970-01-01T00:00:00.5"}', "date(500)" }
    refuses('{$dateToString: {date: "$s"}}', 16006)
  end)
  it("are cut, moved and counted", function()
    gives { '{$dateTrunc: {date: "$d", unit: "day"}}', "date(1699920000000)", '{$dateTrunc: {date: "$d", unit: "month"}}', "date(1698796800000)",
      '{$dateTrunc: {date: "$d", unit: "week"}}', "date(1699747200000)", '{$dateTrunc: {date: "$d", unit: "week", startOfWeek: "monday"}}', "date(1699833600000)",
      '{$dateTrunc: {date: "$d", unit: "hour", binSize: 6}}', "date(1699984800000)", '{$dateTrunc: {date: "$d", unit: "quarter"}}', "date(1696118400000)",
      '{$dateTrunc: {date: "$n", unit: "day"}}', "null",
      '{$dateAdd: {startDate: {$toDate: "2024-01-31"}, unit: "month", amount: 1}}', "date(1709164800000)",
      '{$dateSubtract: {startDate: "$d", unit: "day", amount: 1}}', "date(1699913600123)",
      '{$dateDiff: {startDate: {$toDate: "2023-12-31"}, endDate: {$toDate: "2024-01-01"}, unit: "year"}}', "long(1)",
      '{$dateDiff: {startDate: {$toDate: "2024-01-01"}, endDate: {$toDate: "2024-03-01"}, unit: "day"}}', "long(60)" }
    refuses('{$dateTrunc: {date: "$d", unit: "age"}}', 5439013)
  end)
end)

describe("loops within an expression", function()
  it("look at the clock for each element", function()
    for _, text in ipairs { "{$map: {input: {$range: [0, 50]}, in: 1}}", "{$filter: {input: {$range: [0, 50]}, cond: false}}",
      '{$reduce: {input: {$range: [0, 50]}, initialValue: 0, in: "$$this"}}' } do
      local ticks = 0
      evaluate(text, { tick = function() ticks = ticks + 1 end })
      expect(ticks):to_be(50)
    end
  end)
  it("make no text and no array beyond what a document holds", function()
    local rounds = pressed and 24 or 40 -- doubled from the beginning: 2^24 is the first that is too long
    refuses('{$reduce: {input: {$range: [0, ' .. rounds .. ']}, initialValue: "xx", in: {$concat: ["$$value", "$$value"]}}}', 10334)
    local long = '{$reduce: {input: {$range: [0, 20]}, initialValue: "x", in: {$concat: ["$$value", "$$value"]}}}'
    refuses("{$replaceAll: {input: " .. long .. ', find: "x", replacement: ' .. long .. "}}", 10334)
    refuses("{$map: {input: {$range: [0, 1000]}, in: " .. long .. "}}", 10334)
  end)
end)
