"""An authentication service beside the applications that it is for, and a proxy that asks it about every request.

The service has a log-in page, and says of a session whose it is. The application behind knows neither passwords nor
sessions: it is told who asks in fields that no client can make up.

python examples/forward_auth.py            serves, with a service and an application of its own, until interrupted
python examples/forward_auth.py --check    logs in through itself, prints what came back, and exits
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import quote

from aiohttp import ClientSession, CookieJar, web

from revproxy import Pipeline, ProxyHandler, Rule, Rules, Upstream, when
from revproxy.filters import Csrf, SecurityHeaders
from revproxy.filters.auth import Authorize, ForwardAuth
from revproxy.identity import PRINCIPAL

CHECK = "--check" in sys.argv
PORT = 8080

PAGE = """<!doctype html><title>Log in</title><form method=post>
<input name=name autofocus><input name=password type=password><button>Log in</button></form>"""


class Service:
    """Stands for oauth2-proxy, Authelia, authentik, or one of your own. ``asked``: how often."""

    def __init__(self) -> None:
        self.asked = 0
        self._users = {"ada": ("lovelace", "admin,staff"), "bob": ("bobsworth", "staff")}
        self._sessions: dict[str, str] = {}

    async def auth(self, request: web.Request) -> web.Response:
        """Whose session it is; who has none is sent to the log-in page, and from there to where he wanted to go."""
        self.asked += 1
        name = self._sessions.get(request.cookies.get("session", ""))
        if name is None:
            wanted = quote(request.headers["X-Forwarded-Uri"], safe="")
            raise web.HTTPFound(f"/login?to={wanted}")
        return web.Response(headers={"X-User": name, "X-Groups": self._users[name][1]})

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def login(self, request: web.Request) -> web.Response:
        form = await request.post()
        name, to = str(form.get("name")), request.query.get("to", "/")
        password = self._users.get(name, ("", ""))[0]
        if not password or not secrets.compare_digest(password, str(form.get("password"))):
            raise web.HTTPForbidden(text="No.")
        session = secrets.token_urlsafe(32)
        self._sessions[session] = name
        is_here = to.startswith("/") and not to.startswith(("//", "/\\"))  # which browsers take for a host
        response = web.Response(status=303, headers={"Location": to if is_here else "/"})
        response.set_cookie("session", session, httponly=True, samesite="Lax")
        return response

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/auth", self.auth), web.get("/login", self.page), web.post("/login", self.login)])
        return app


def application() -> web.Application:
    """What is protected. It believes the proxy, which is all that can reach it."""

    async def say(request: web.Request) -> web.Response:
        user = request.headers.get("X-User", "nobody")
        return web.Response(text=f"{request.method} {request.path} for {user}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
    return app


def gateway(service_url: str, site_url: str) -> ProxyHandler:
    """The log-in page is for everybody, ``/admin`` for those of the group, all else for those who have logged in."""
    service, site = Upstream(service_url, name="auth"), Upstream(site_url, name="site")
    who = ForwardAuth(service, path="/auth", copy=["X-User"], principal="X-User", roles="X-Groups", timeout=2.0)
    admins = Authorize(when.key(PRINCIPAL, lambda principal: "admin" in principal.roles))
    return ProxyHandler(
        Rules(
            Rule(when.path("/login"), service, name="log in"),
            Rule(when.path("/admin/*"), Pipeline(who, admins, handler=site), name="admin"),
            Rule(when.anything, Pipeline(who, handler=site), name="site"),
        ),
        filters=[SecurityHeaders(), Csrf()],
    )


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` on the loopback interface; its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def check(url: str, service: Service) -> None:
    """Who is nobody, who is Bob, who is Ada, and who only says so."""

    async def ask(path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        async with client.get(path, headers=headers, allow_redirects=False) as response:
            text = await response.text()
            print("GET", path, headers or "", "->", response.status, response.headers.get("Location", text))
            return response.status, response.headers.get("Location", text)

    async def login(name: str, password: str, headers: dict[str, str] | None = None) -> int:
        form = {"name": name, "password": password}
        async with client.post("/login?to=/x", data=form, headers=headers, allow_redirects=False) as response:
            print("POST /login for", name, headers or "", "->", response.status)
            return response.status

    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as client:
        assert await ask("/x?a=1") == (302, "/login?to=/x?a%3D1")
        assert await ask("/x", {"X-User": "ada"}) == (302, "/login?to=/x")
        assert await login("bob", "wrong") == 403
        assert await login("bob", "bobsworth", {"Origin": "https://evil.example"}) == 403
        assert await login("bob", "bobsworth") == 303
        assert await ask("/x", {"X-User": "ada"}) == (200, "GET /x for bob")
        assert (await ask("/admin/x"))[0] == 403
        assert await login("ada", "lovelace") == 303
        assert await ask("/admin/x") == (200, "GET /admin/x for ada")
        assert await ask("/%61dmin/x") == (200, "GET /admin/x for ada")
        print("the service was asked", service.asked, "times")
        assert service.asked == 6


async def main() -> None:
    service = Service()
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(serving(each)) for each in (service.app(), application())]
        app = web.Application()
        gateway(*urls).mount(app)
        url = await stack.enter_async_context(serving(app, 0 if CHECK else PORT))
        print(f"proxy on {url}; the service on {urls[0]}, the application on {urls[1]}")
        if CHECK:
            await check(url, service)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
