-- Load for wrk: `wrk ... -s load.lua URL -- BODY_FILE PATHS_FILE PREFIX KEY`.
-- With a body every request is a POST in which ORDER becomes an order number used once;
-- without one it is a GET of the next line of PATHS_FILE. Ends with one line of JSON.

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local function read(path)
  if path == "-" then return nil end
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  body = read(args[1])
  prefix = args[3]
  counter = 0
  paths = {}
  for line in (read(args[2]) or ""):gmatch("[^\n]+") do paths[#paths + 1] = line end
  headers = { ["Content-Type"] = "application/json" }
  if args[4] ~= "-" then headers["Authorization"] = "Bearer " .. args[4] end
end

function request()
  counter = counter + 1
  if body then
    local order = prefix .. "-" .. id .. "-" .. counter
    return wrk.format("POST", nil, headers, (body:gsub("ORDER", order)))
  end
  -- Each thread starts elsewhere in the list, so that they do not ask for the same at once.
  return wrk.format("GET", paths[(id * 7919 + counter) % #paths + 1], headers)
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"errors":%d,"refused":%d,"p50":%.9f,"p99":%.9f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
