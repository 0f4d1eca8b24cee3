--- Projections of find and $project.
---   project.compile(spec, context?) -> function(doc) -> doc, or nil when the spec is empty
--- `spec` is BSON bytes; context.filter (bytes) serves the positional projection.
local project = {}
return project
