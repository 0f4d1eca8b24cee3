--- Filters: compiled once a command into a predicate over raw documents.
---   match.compile(filter, context?) -> predicate(doc) -> boolean
---   match.id(filter) -> list of boxed _id values {t=, v=} when the filter pins _id by equality or
---                       $in (no regex), else nil; documents that match have one of them
---   match.equalities(filter) -> list of {path, t, v} that every match must equal (top level and $and)
---   match.bounds(filter) -> { [path] = { {op, t, v}, ... } } of $eq $gt $gte $lt $lte $in, for a planner
--- `filter` is BSON bytes; context is { now = int64 date, tick = function } where given.
local match = {}
return match
