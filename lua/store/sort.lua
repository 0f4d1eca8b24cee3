--- Sorting by keys whose bytes compare as the values do.
---   sort.compile(spec) -> key(doc) -> string; strings of one spec compare by `<`
---   sort.collector(spec, context, limit?) -> c: c:add(doc), c:finish() -> next() -> doc or nil
---     stable; counts memory against context.memory_limit (code 292); with a limit keeps that many
local sort = {}
return sort
