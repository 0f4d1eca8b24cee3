local text, n = ("lorem ipsum dolor "):rep(3000), 0
for round = 1, 4 do
  text:gsub("%a+", function(word) n = n + #word end)
end
return n
