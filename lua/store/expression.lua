--- Aggregation expressions, compiled into closures.
---   expression.scope(context) -> scope: the variables in sight ($$ROOT, $$NOW, $$REMOVE, let)
---   expression.compile(t, v, scope) -> f(p, doc) -> t, v      (p = bson.pointer(doc))
---   expression.truth(t, v) -> boolean
--- context is { now = int64 date?, let = bytes? }.
local expression = {}
return expression
