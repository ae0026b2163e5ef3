"""Upstreams, their settings, and the proxy around them: what they do not take."""

from __future__ import annotations

from ipaddress import ip_address

from aiohttp import web

from revproxy import (
    Endpoint,
    Limits,
    Observer,
    PathPolicy,
    ProxyHandler,
    Rule,
    Rules,
    Timeouts,
    Tls,
    TrustedProxies,
    Upstream,
    when,
)
from revproxy.affinity import CookieAffinity, TableAffinity
from revproxy.balancers import P2C, RoundRobin
from revproxy.routing import Failover, GuardRail, Lane, Mirror, Split
from revproxy.testing import FakeTransport

api = Upstream("http://10.0.0.1:8080", name="api")
proxy = ProxyHandler(api)
app = web.Application()

# Seconds are numbers, bytes whole ones.

Timeouts(connect="5s")  # E: arg-type
Timeouts(total="1m")  # E: arg-type
Timeouts(head=None)  # E: arg-type
Timeouts(read=5)  # E: call-arg
Timeouts(5)  # E: call-arg
Timeouts().connect = 5  # E: misc
Limits(connections="256")  # E: arg-type
Limits(connections=25.6)  # E: arg-type
Limits(read_buffer="256 KiB")  # E: arg-type
Limits(idle="4s")  # E: arg-type
Limits(keepalive=4)  # E: call-arg
Limits().waiting = 0  # E: misc
Tls(verify="no")  # E: arg-type
Tls(ca=b"-----BEGIN CERTIFICATE-----")  # E: arg-type
Tls(context=True)  # E: arg-type
Tls("ca.pem")  # E: call-arg
Tls(insecure=True)  # E: call-arg
ProxyHandler(api, max_body="1 MiB")  # E: arg-type
ProxyHandler(api, max_body=1e6)  # E: arg-type
ProxyHandler(api, write_timeout="60s")  # E: arg-type
ProxyHandler(api, write_timeout=None)  # E: arg-type
ProxyHandler(api).replace(api)  # E: call-arg, unused-coroutine
ProxyHandler(api).replace(api, filters=[])  # E: unused-coroutine
ProxyHandler(api).replace("http://10.0.0.1:8080", filters=[])  # E: arg-type, unused-coroutine
ProxyHandler(api).replace(api, [], filters=[])  # E: misc, unused-coroutine

# Upstreams.

Upstream(8080)  # E: arg-type
Upstream(ip_address("10.0.0.1"))  # E: arg-type
Upstream(["http://10.0.0.1:8080", "http://10.0.0.2:8080"])  # E: arg-type
Upstream("http://10.0.0.1:8080", balancer=P2C)  # E: arg-type
Upstream("http://10.0.0.1:8080", balancer="round robin")  # E: arg-type
Upstream("http://10.0.0.1:8080", affinity=TableAffinity)  # E: arg-type
Upstream("http://10.0.0.1:8080", affinity="cookie")  # E: arg-type
CookieAffinity("secret")  # E: arg-type
CookieAffinity(b"secret", same_site="lax")  # E: arg-type
CookieAffinity(b"secret", gone="503")  # E: arg-type
TableAffinity("X-Session")  # E: arg-type
Upstream("http://10.0.0.1:8080", timeouts=5)  # E: arg-type
Upstream("http://10.0.0.1:8080", timeout=Timeouts())  # E: call-arg
Upstream("http://10.0.0.1:8080", limits=Timeouts())  # E: arg-type
Upstream("http://10.0.0.1:8080", tls=True)  # E: arg-type
Upstream("http://10.0.0.1:8080", host="a.test")  # E: arg-type
Upstream("http://10.0.0.1:8080", transport=FakeTransport)  # E: arg-type
Upstream("http://10.0.0.1:8080", RoundRobin())  # E: arg-type
api.endpoint  # E: attr-defined
api.send  # E: attr-defined
api("http://10.0.0.1:8080")  # E: arg-type, unused-coroutine
Endpoint("http://10.0.0.1:8080", "a")  # E: call-arg
Endpoint("http://10.0.0.1:8080", weight=0.5)  # E: arg-type
Endpoint("http://10.0.0.1:8080", labels=["blue"])  # E: arg-type
Endpoint("http://10.0.0.1:8080", limit="10")  # E: arg-type
Endpoint("http://10.0.0.1:8080").state = "active"  # E: assignment

# Handlers that hand on.

Split(Lane("a", api), Lane("b", api), guard="a")  # E: arg-type
Lane("a", "http://10.0.0.1:8080")  # E: arg-type
GuardRail("a")  # E: call-arg
GuardRail(stable="a", errors="1 %")  # E: arg-type
GuardRail(stable="a", failure=500)  # E: arg-type
Mirror("http://10.0.0.1:8080")  # E: arg-type
Mirror(api, deadline="10s")  # E: arg-type
Mirror(api, compare=True)  # E: arg-type
Failover(api, api, statuses=503)  # E: arg-type
Failover(api, api, on=503)  # E: arg-type

# The proxy.

proxy.mount(app, expect="nobody")  # E: arg-type
proxy.mount(app, "/app", True)  # E: call-arg
proxy.mount(app, strip="/app")  # E: arg-type
proxy.mount(app, path=None)  # E: arg-type
proxy.mount()  # E: call-arg
proxy.mount(app.router)  # E: arg-type
ProxyHandler()  # E: call-arg
ProxyHandler(api, observers=Observer())  # E: arg-type
ProxyHandler(api, observers=[Observer])  # E: list-item
ProxyHandler(api, path_policy="keep")  # E: arg-type
ProxyHandler(api, trusted="10.0.0.0/8")  # E: arg-type
ProxyHandler(api, forwarded="X-Forwarded-For")  # E: arg-type
ProxyHandler(api, forwarded=["X-Forwarded"])  # E: list-item
ProxyHandler(api, via=True)  # E: arg-type
ProxyHandler(api, proxy_status=True)  # E: arg-type
ProxyHandler(api, trust=TrustedProxies("10.0.0.0/8"))  # E: call-arg
ProxyHandler(Rules(Rule(when.anything, api)), name="main")  # E: call-arg
PathPolicy(encoded_slash="allow")  # E: arg-type
PathPolicy(encoded_slash=True)  # E: arg-type
PathPolicy(merge_slashes=True)  # E: call-arg
PathPolicy(parameters="decode")  # E: arg-type
PathPolicy(dot_segments="keep")  # E: arg-type
TrustedProxies(["10.0.0.0/8"])  # E: arg-type
TrustedProxies("10.0.0.0/8", field="X-Real-IP")  # E: arg-type
TrustedProxies("10.0.0.0/8", limit="32")  # E: arg-type
app.router.add_get("/", proxy)  # E: arg-type
app.cleanup_ctx.append(proxy)  # E: arg-type


async def serve(request: web.Request) -> web.StreamResponse:
    await proxy(request)  # E: operator
    await proxy.handle()  # E: call-arg
    await proxy.handle(request, "/app")  # E: call-arg
    await proxy.handle(request, strip=True)  # E: arg-type
    await api(request)  # E: arg-type
    return proxy.handle(request)  # E: return-value
