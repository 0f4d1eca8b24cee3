local parts = {}
for i = 1, 2e5 do parts[#parts + 1] = "row " .. i .. ";" end
return #table.concat(parts)
