local s = 0
for i = 1, 3e7 do s = s + i end
return s
