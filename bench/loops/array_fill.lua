local t = {}
for round = 1, 20 do
  for i = 1, 4e5 do t[i] = i end
end
return #t
