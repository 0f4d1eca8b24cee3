--- Pipelines as pull iterators.
---   aggregate.compile(pipeline, context) -> list of stages: stage(next) -> next, next() -> doc or nil
---   aggregate.run(stages, next) -> next
---   aggregate.split(pipeline) -> { filter = bytes?, sort = bytes?, skip = n?, limit = n?, rest = array bytes }
---     what a leading $match, $sort, $skip, $limit tell the planner; `rest` is to be compiled
--- pipeline: bytes of the array. context: { tick = function, now = , memory_limit = bytes, let = bytes?,
---   random = function?, scan = function(collection) -> next? }. Every loop over documents calls context.tick().
local aggregate = {}
return aggregate
