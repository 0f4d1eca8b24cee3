for i = 1, 5e7 do end
