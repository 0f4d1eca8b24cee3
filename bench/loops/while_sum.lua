local s, i = 0, 0
while i < 3e7 do
  i = i + 1
  s = s + i
end
return s
