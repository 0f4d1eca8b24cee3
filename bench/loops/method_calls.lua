local Counter = {}
Counter.__index = Counter
function Counter:add(n) self.n = self.n + n end
local counter = setmetatable({ n = 0 }, Counter)
for i = 1, 2e7 do counter:add(1) end
return counter.n
