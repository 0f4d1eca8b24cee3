--- Counters for serverStatus.
return {
  started = os.time(),
  operations = { insert = 0, query = 0, update = 0, delete = 0, getmore = 0, command = 0 },
  ---@type fun(): integer, integer   current and total connections; set by store.server
  connections = nil,
}
