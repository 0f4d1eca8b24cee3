local n, inside = 120, 0
for y = 0, n - 1 do
  for x = 0, n - 1 do
    local cr, ci, zr, zi, k = 2 * x / n - 1.5, 2 * y / n - 1, 0, 0, 0
    while k < 100 and zr * zr + zi * zi < 4 do
      zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
      k = k + 1
    end
    if k == 100 then inside = inside + 1 end
  end
end
return inside
