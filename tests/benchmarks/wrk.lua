-- Arguments after "--": none for GET, or the file with the body to POST.
-- The result is one line of JSON, which needs no reading of a text that is meant for people.

function init(args)
  if args[1] then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = wrk.headers["Content-Type"] or "application/octet-stream"
    local file = io.open(args[1], "rb")
    wrk.body = file:read("*a")
    file:close()
  elseif wrk.path:find("page=2", 1, true) and wrk.headers["Cookie"] then
    -- A browser's: each request has a page and a session of its own.
    local path, cookie, count = wrk.path, wrk.headers["Cookie"], 0
    request = function()
      count = count + 1
      local headers = {}
      for name, value in pairs(wrk.headers) do
        headers[name] = value
      end
      headers["Cookie"] = cookie:gsub("session=%x+", string.format("session=%016x", count * 2654435761))
      return wrk.format(nil, path:gsub("page=2", "page=" .. count), headers)
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "bytes": %d, "microseconds": %d, "p50": %d, "p99": %d, "status": %d, '
      .. '"connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
