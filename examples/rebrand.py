"""Somebody else's application as a part of one's own: below a path, under one's own name, with one's own error pages.

The application is httpbin, if it is installed (pip install httpbin gunicorn), and otherwise a small one that does the
same things. It believes that it is alone at the root of its server. What clients see of it is below /tools: redirects
and cookies stay there, links and forms in its pages lead there, no field says what it runs on, pages have another name,
and its errors are the site's own.

python examples/rebrand.py                  serves, with a server of its own, until interrupted
python examples/rebrand.py --httpbin URL    the same, with one that runs already
python examples/rebrand.py --check          sends requests through itself, prints what came back, and exits
"""

import asyncio
import importlib.util
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape

from aiohttp import ClientSession, CookieJar, web

from revproxy import Exchange, HideUpstream, ProxyHandler, PublicOrigin, Upstream
from revproxy.filters import ErrorPages
from revproxy.filters.transform import ReplaceText

CHECK = "--check" in sys.argv
PORT = 8080
PATH = "/tools"


def sorry(exchange: Exchange, status: int) -> str:
    """The site's own page; the id is what the log knows the request by."""
    return f"<!doctype html><title>Sorry</title><h1>Sorry, this is {status}</h1><p>Say: {escape(exchange.id)}"


OURS: dict[str | re.Pattern[str], str | Callable[[re.Match[str]], str]] = {
    "httpbin.org": "Example Tools",
    "httpbin": "Example Tools",
    re.compile(r"""\b(href|src|action)=(["'])/(?!/)"""): rf"\1=\2{PATH}/",
}
"""What its pages say: another name, and links below the path. What scripts make of paths is beyond that."""


def site(url: str) -> web.Application:
    """The site, with the tools in it."""
    tools = ProxyHandler(
        Upstream(url, name="tools"),
        filters=[ErrorPages({"5xx": sorry, 404: sorry}), ReplaceText(OURS, types=["text/html"])],
        hide=HideUpstream(remove=["X-More-Info"], origin=PublicOrigin(aliases=["httpbin.org"])),
    )

    async def home(request: web.Request) -> web.Response:
        return web.Response(text=f"the site; its tools are at {PATH}/\n")

    app = web.Application()
    app.add_routes([web.get("/", home)])
    tools.mount(app, PATH, strip=True)
    return app


def stand_in() -> web.Application:
    """What is used of httpbin, for where there is none."""
    routes = web.RouteTableDef()

    @routes.get("/html")
    async def html(request: web.Request) -> web.Response:
        text = '<h1>Herman Melville</h1><a href="/forms/post">a form of httpbin</a>'
        return web.Response(text=text, content_type="text/html", headers={"Server": "gunicorn"})

    @routes.get("/forms/post")
    async def form(request: web.Request) -> web.Response:
        text = '<form method="post" action="/post"><input name="custname"></form>'
        return web.Response(text=text, content_type="text/html", headers={"Server": "gunicorn"})

    @routes.post("/post")
    async def post(request: web.Request) -> web.Response:
        return web.json_response({"form": dict(await request.post())})

    @routes.get("/get")
    async def get(request: web.Request) -> web.Response:
        return web.json_response({"args": dict(request.query)})

    @routes.get("/absolute-redirect/{n}")
    async def redirect(request: web.Request) -> web.Response:
        left = int(request.match_info["n"]) - 1
        raise web.HTTPFound(str(request.url.with_path(f"/absolute-redirect/{left}" if left else "/get")))

    @routes.get("/cookies/set")
    async def set_cookies(request: web.Request) -> web.Response:
        answer = web.HTTPFound("/cookies")
        for name, value in request.query.items():
            answer.set_cookie(name, value, path="/")
        raise answer

    @routes.get("/cookies")
    async def cookies(request: web.Request) -> web.Response:
        return web.json_response({"cookies": dict(request.cookies)})

    @routes.get("/status/{status}")
    async def status(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]), text="Traceback (most recent call last)")

    app = web.Application()
    app.add_routes(routes)
    return app


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


@asynccontextmanager
async def httpbin() -> AsyncIterator[str]:
    """The application, wherever it is."""
    if "--httpbin" in sys.argv:
        yield sys.argv[sys.argv.index("--httpbin") + 1]
    elif all(map(importlib.util.find_spec, ("httpbin", "gunicorn"))):
        options = ("--bind", "127.0.0.1:0", "--threads", "4", "--no-control-socket")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gunicorn", *options, "httpbin:app"), stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        try:
            while b"Listening at: " not in (line := await process.stderr.readline()):
                assert line, "gunicorn did not start"
            rest = asyncio.create_task(pass_on(process.stderr))
            yield line.decode().split("Listening at: ")[1].split()[0]
            process.terminate()
            await rest
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
    else:
        async with serving(stand_in()) as url:
            yield url


async def pass_on(lines: asyncio.StreamReader) -> None:
    async for line in lines:
        if not CHECK:
            print(line.decode(errors="replace"), end="")


async def check(url: str, behind: str) -> None:
    """What a browser would do. Nothing that it is told names what is behind."""
    hidden = behind.partition("//")[2]

    async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as client:

        async def ask(path: str, accept: str = "text/html", **form: str) -> str:
            """Follows redirects, each of which has to stay below the path."""
            data = form or None
            while True:
                async with client.request(
                    "POST" if data else "GET", path, data=data, headers={"Accept": accept}, allow_redirects=False
                ) as answer:
                    text = await answer.text()
                    first = text.strip().splitlines()[0][:60] if text.strip() else ""
                    print(path, "->", answer.status, answer.headers.get("Location", first))
                    said = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
                    assert hidden not in said, said
                    assert "gunicorn" not in said, said
                    for cookie in answer.headers.getall("Set-Cookie", []):
                        print("    ", cookie)
                        assert f"Path={PATH}" in cookie
                    if "Location" not in answer.headers:
                        return text
                    path, data = answer.headers["Location"], None
                    assert path.startswith(f"{PATH}/"), path

        assert "the site" in await ask("/")
        await ask(f"{PATH}/absolute-redirect/2")
        assert '"plain"' in await ask(f"{PATH}/cookies/set?flavour=plain")
        page = await ask(f"{PATH}/html")
        assert "Melville" in page
        assert "httpbin" not in page
        form = await ask(f"{PATH}/forms/post")
        assert f'action="{PATH}/post"' in form
        assert '"Ann"' in await ask(f"{PATH}/post", custname="Ann")
        assert "Sorry, this is 500" in await ask(f"{PATH}/status/500")
        assert "Sorry, this is 404" in await ask(f"{PATH}/nothing/here")
        assert '"title": "Service Unavailable"' in await ask(f"{PATH}/status/503", "application/json")


async def main() -> None:
    async with httpbin() as behind, serving(site(behind), 0 if CHECK else PORT) as url:
        print(f"the site on {url}, what is behind {PATH} on {behind}")
        if CHECK:
            await check(url, behind)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
