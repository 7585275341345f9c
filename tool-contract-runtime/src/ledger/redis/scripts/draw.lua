-- Draws from limits without an operation. KEYS: the hash of each draw's cell.
local millis = now()
local cells, refused = draw(2, tonumber(ARGV[1]), 0, millis)
if not cells then
  return refused
end
keep(cells, millis)
return { 'drawn' }
