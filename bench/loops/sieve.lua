local n, count = 2e6, 0
local composite = {}
for i = 1, n do composite[i] = false end
for i = 2, n do
  if not composite[i] then
    count = count + 1
    for j = i * i, n, i do composite[j] = true end
  end
end
return count
