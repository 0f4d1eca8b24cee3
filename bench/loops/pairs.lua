local t, s = {}, 0
for i = 1, 1000 do t["k" .. i] = i end
for round = 1, 1500 do
  for _, v in pairs(t) do s = s + v end
end
return s
