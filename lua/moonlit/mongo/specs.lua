-- What options each method of a collection takes: the name, the field of the command (false: the
-- method knows what to do with it), and the check (options.lua).

local options = require "moonlit.mongo.options"

local specs = {}

---Options of find.
---@class moonlit.FindOptions
---@field sort? table the order: { price = -1 } or { {"a", 1}, {"b", -1} }; none by default
---@field skip? integer leave out so many first; 0 by default
---@field limit? integer at most so many; 0, the default, means all
---@field projection? table the fields: { "a", _id = 0 }, or { secret = 0 }; all by default
---@field batch_size? integer documents fetched at a time; 101, then 16 MiB, by default
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field comment? any is seen in the server's log and profiler
---@field let? table variables that expressions read as $$name
---@field min? table where the index of `hint` begins, { price = 10 }
---@field max? table before which key of that index it ends
---@field return_key? boolean give the index's fields alone; false by default
---@field show_record_id? boolean add the field $recordId; false by default
---@field allow_disk_use? boolean may use the server's disk; the server's choice by default
---@field allow_partial_results? boolean do without shards that are away; false by default
---@field read_concern? table { level = "majority" }; that of the URI by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.find = options.spec {
  { "sort", "sort", "order" },
  { "skip", "skip", "count" },
  { "limit", "limit", "count" },
  { "projection", "projection", "projection" },
  { "batch_size", "batchSize", "count" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "comment", "comment", "any" },
  { "let", "let", "document" },
  { "min", "min", "order" },
  { "max", "max", "order" },
  { "return_key", "returnKey", "flag" },
  { "show_record_id", "showRecordId", "flag" },
  { "allow_disk_use", "allowDiskUse", "flag" },
  { "allow_partial_results", "allowPartialResults", "flag" },
  { "read_concern", "readConcern", "document" },
  { "max_time", false, "seconds" },
}

---Options of find_one.
---@class moonlit.FindOneOptions
---@field sort? table which one is meant when several match: the first; any by default
---@field skip? integer leave out so many first; 0 by default
---@field projection? table the fields: { "a", _id = 0 }, or { secret = 0 }; all by default
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field comment? any is seen in the server's log and profiler
---@field let? table variables that expressions read as $$name
---@field min? table where the index of `hint` begins, { price = 10 }
---@field max? table before which key of that index it ends
---@field return_key? boolean give the index's fields alone; false by default
---@field show_record_id? boolean add the field $recordId; false by default
---@field allow_partial_results? boolean do without shards that are away; false by default
---@field read_concern? table { level = "majority" }; that of the URI by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.find_one = options.spec {
  { "sort", "sort", "order" },
  { "skip", "skip", "count" },
  { "projection", "projection", "projection" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "comment", "comment", "any" },
  { "let", "let", "document" },
  { "min", "min", "order" },
  { "max", "max", "order" },
  { "return_key", "returnKey", "flag" },
  { "show_record_id", "showRecordId", "flag" },
  { "allow_partial_results", "allowPartialResults", "flag" },
  { "read_concern", "readConcern", "document" },
  { "max_time", false, "seconds" },
}

---Options of aggregate.
---@class moonlit.AggregateOptions
---@field allow_disk_use? boolean may use the server's disk; the server's choice by default
---@field bypass_validation? boolean do not ask the collection's validator; false by default
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field comment? any is seen in the server's log and profiler
---@field let? table variables that expressions read as $$name
---@field read_concern? table { level = "majority" }; that of the URI by default
---@field write_concern? table { w = "majority" }; that of the URI by default
---@field batch_size? integer documents fetched at a time; 101, then 16 MiB, by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.aggregate = options.spec {
  { "allow_disk_use", "allowDiskUse", "flag" },
  { "bypass_validation", "bypassDocumentValidation", "flag" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "comment", "comment", "any" },
  { "let", "let", "document" },
  { "read_concern", "readConcern", "document" },
  { "write_concern", "writeConcern", "document" },
  { "batch_size", false, "count" },
  { "max_time", false, "seconds" },
}

---Options of count_documents.
---@class moonlit.CountOptions
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field comment? any is seen in the server's log and profiler
---@field read_concern? table { level = "majority" }; that of the URI by default
---@field skip? integer leave out so many first; 0 by default
---@field limit? integer count at most so many, 1 or more; all by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.count = options.spec {
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "comment", "comment", "any" },
  { "read_concern", "readConcern", "document" },
  { "skip", false, "count" },
  { "limit", false, "count" },
  { "max_time", false, "seconds" },
}

---Options of estimated_document_count.
---@class moonlit.EstimateOptions
---@field comment? any is seen in the server's log and profiler
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.estimate = options.spec {
  { "comment", "comment", "any" },
  { "max_time", false, "seconds" },
}

---Options of distinct.
---@class moonlit.DistinctOptions
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field comment? any is seen in the server's log and profiler
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field read_concern? table { level = "majority" }; that of the URI by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.distinct = options.spec {
  { "collation", "collation", "document" },
  { "comment", "comment", "any" },
  { "hint", "hint", "hint" },
  { "read_concern", "readConcern", "document" },
  { "max_time", false, "seconds" },
}

---Options of insert_one.
---@class moonlit.InsertOneOptions
---@field comment? any is seen in the server's log and profiler
---@field bypass_validation? boolean do not ask the collection's validator; false by default
---@field write_concern? table { w = "majority" }; that of the URI by default
specs.insert_one = options.spec {
  { "comment", "comment", "any" },
  { "bypass_validation", "bypassDocumentValidation", "flag" },
  { "write_concern", "writeConcern", "document" },
}

---Options of insert_many.
---@class moonlit.InsertManyOptions
---@field ordered? boolean end at the first error; true by default
---@field comment? any is seen in the server's log and profiler
---@field bypass_validation? boolean do not ask the collection's validator; false by default
---@field write_concern? table { w = "majority" }; that of the URI by default
specs.insert_many = options.spec {
  { "ordered", "ordered", "flag" },
  { "comment", "comment", "any" },
  { "bypass_validation", "bypassDocumentValidation", "flag" },
  { "write_concern", "writeConcern", "document" },
}

---Options of update_one, update_many and replace_one.
---@class moonlit.UpdateOptions
---@field upsert? boolean insert when none matches; false by default
---@field array_filters? table[] which items $[name] means, { { ["name.n"] = 5 } }
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field sort? table which one is meant when several match; MongoDB 8, not update_many
---@field let? table variables that expressions read as $$name
---@field comment? any is seen in the server's log and profiler
---@field bypass_validation? boolean do not ask the collection's validator; false by default
---@field write_concern? table { w = "majority" }; that of the URI by default
specs.update = options.spec {
  { "upsert", "upsert", "flag" },
  { "array_filters", "arrayFilters", "list" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "sort", "sort", "order" },
  { "let", false, "document" },
  { "comment", false, "any" },
  { "bypass_validation", false, "flag" },
  { "write_concern", false, "document" },
}

---Options of delete_one and delete_many.
---@class moonlit.DeleteOptions
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field let? table variables that expressions read as $$name
---@field comment? any is seen in the server's log and profiler
---@field write_concern? table { w = "majority" }; that of the URI by default
specs.delete = options.spec {
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "let", false, "document" },
  { "comment", false, "any" },
  { "write_concern", false, "document" },
}

---Options of find_one_and_update and find_one_and_replace.
---@class moonlit.FindAndOptions
---@field sort? table which one is meant when several match: the first; any by default
---@field projection? table the fields: { "a", _id = 0 }, or { secret = 0 }; all by default
---@field upsert? boolean insert when none matches; false by default
---@field array_filters? table[] which items $[name] means, { { ["name.n"] = 5 } }
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field let? table variables that expressions read as $$name
---@field comment? any is seen in the server's log and profiler
---@field bypass_validation? boolean do not ask the collection's validator; false by default
---@field write_concern? table { w = "majority" }; that of the URI by default
---@field returns? "before"|"after" the document as it was or as it is; "before" by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.find_and = options.spec {
  { "sort", "sort", "order" },
  { "projection", "fields", "projection" },
  { "upsert", "upsert", "flag" },
  { "array_filters", "arrayFilters", "list" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "let", "let", "document" },
  { "comment", "comment", "any" },
  { "bypass_validation", "bypassDocumentValidation", "flag" },
  { "write_concern", "writeConcern", "document" },
  { "returns", false, "returns" },
  { "max_time", false, "seconds" },
}

---Options of find_one_and_delete.
---@class moonlit.FindAndDeleteOptions
---@field sort? table which one is meant when several match: the first; any by default
---@field projection? table the fields: { "a", _id = 0 }, or { secret = 0 }; all by default
---@field hint? string|table the index, by name or keys; the server's choice by default
---@field collation? table how texts compare, { locale = "de" }; by their bytes by default
---@field let? table variables that expressions read as $$name
---@field comment? any is seen in the server's log and profiler
---@field write_concern? table { w = "majority" }; that of the URI by default
---@field max_time? number seconds the server may take (then error 50); the run's rest by default
specs.find_and_delete = options.spec {
  { "sort", "sort", "order" },
  { "projection", "fields", "projection" },
  { "hint", "hint", "hint" },
  { "collation", "collation", "document" },
  { "let", "let", "document" },
  { "comment", "comment", "any" },
  { "write_concern", "writeConcern", "document" },
  { "max_time", false, "seconds" },
}

return specs
