// A proxy with node's http-proxy. Arguments: port, port of the back end.
const http = require('http');
const httpProxy = require('http-proxy');

const [port, backend] = process.argv.slice(2).map(Number);
const proxy = httpProxy.createProxyServer({
  target: { host: '127.0.0.1', port: backend },
  agent: new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 1024 }),
  xfwd: true,
});
proxy.on('error', (error, request, response) => {
  if (response.headersSent) {
    response.destroy();
  } else {
    response.writeHead(502).end();
  }
});
http.createServer((request, response) => proxy.web(request, response)).listen(port, '127.0.0.1', 1024);
