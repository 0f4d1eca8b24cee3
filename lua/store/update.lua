--- Updates: operators, replacement, pipeline.
---   update.compile(spec_t, spec_v, options) -> u
---     spec: document (operators or replacement) or array (pipeline)
---     options: { filters = bytes of the arrayFilters array?, context = , filter = bytes? (positional $) }
---   u.apply(doc, inserting?) -> new doc, changed (false when the bytes stayed the same)
---   u.is_replacement -> boolean (refused with multi by the command)
---   update.seed(filter) -> doc: the fields that equality terms of the filter give to an upsert
---   update.insert(u, filter) -> the document of an upsert, _id first (made when absent)
local update = {}
return update
