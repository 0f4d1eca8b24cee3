local n = 120
local function filled(f)
  local rows = {}
  for i = 1, n do
    rows[i] = {}
    for j = 1, n do rows[i][j] = f(i, j) end
  end
  return rows
end
local a, b = filled(function(i, j) return i + j end), filled(function(i, j) return i - j end)
local c = filled(function(i, j)
  local s = 0
  for k = 1, n do s = s + a[i][k] * b[k][j] end
  return s
end)
return c[n][n]
