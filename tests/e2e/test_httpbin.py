"""An application that nobody here has written, below a path: httpbin, as it is on PyPI, under gunicorn."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import brotli
import pytest
from aiohttp import web

from revproxy import ProxyHandler, Upstream
from revproxy.filters import ErrorPages

from .test_servers import started
from .wire import Answer, Client, Site, serving

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("httpbin") is None, reason="httpbin is not installed (extra test)"
)


@asynccontextmanager
async def httpbin(folder: Path, app: str = "httpbin:app") -> AsyncIterator[int]:
    """Its port, in a process of its own; or that of another application."""
    options = ["--bind", "127.0.0.1:0", "--threads", 4, "--no-control-socket", "--chdir", folder]
    async with started("-m", "gunicorn", *options, app, HOME=str(folder)) as process:
        said = await process.says("Listening at: ")
        await process.says("Booting worker")
        yield int(said.split("127.0.0.1:")[1].split()[0])


class Tools:
    """What a browser would see of it below ``/tools``. Whatever comes is looked at for what it must not say."""

    def __init__(self, client: Client, port: int, host: str) -> None:
        self._client = client
        self._names = [f":{port}", "gunicorn", "flask", "werkzeug"]
        if host == "upstream":
            self._names.append("127.0.0.1")
        self.jar: dict[str, str] = {}

    async def get(self, path: str, accept: str = "*/*", method: str = "GET", body: bytes = b"") -> Answer:
        pairs = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        cookies = f"Cookie: {pairs}\r\n" if pairs else ""
        form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: shop.test\r\nAccept: {accept}\r\n{cookies}{form}\r\n"
        await self._client.send(head.encode() + body)
        answer = await self._client.final(method)
        said = b"\n".join(answer.lines).decode("latin-1").lower()
        assert [name for name in self._names if name in said] == [], said
        for cookie in self.set_cookies(answer):
            assert cookie["path"] == "/tools", cookie
            self.jar[cookie["name"]] = cookie["value"]
        return answer

    @staticmethod
    def set_cookies(answer: Answer) -> Iterator[dict[str, str]]:
        for line in answer.getall(b"Set-Cookie"):
            pair, *attributes = line.decode().split("; ")
            said = dict(each.lower().partition("=")[::2] for each in attributes)
            yield {"name": pair.partition("=")[0], "value": pair.partition("=")[2], "path": said["path"]}

    async def follow(self, path: str) -> list[str]:
        """Where it goes from there, each step below ``/tools``, until an answer that is no redirect."""
        steps: list[str] = []
        while True:
            answer = await self.get(path)
            if answer.status not in (301, 302, 303, 307, 308):
                assert answer.status == 200
                return steps
            (location,) = answer.getall(b"Location")
            assert len(steps) < 10
            path = re.sub(r"^http://shop\.test(?=/)", "", location.decode())
            assert path.startswith("/tools/"), location
            steps.append(path)


@asynccontextmanager
async def tools(folder: Path, host: Literal["upstream", "client"]) -> AsyncIterator[tuple[Tools, Site, int]]:
    async with httpbin(folder) as port:
        proxy = ProxyHandler(
            Upstream(f"http://127.0.0.1:{port}", name="tools", host=host), filters=[ErrorPages("<p>Sorry")]
        )
        app = web.Application()
        proxy.mount(app, "/tools", strip=True)
        async with serving(app) as site, site.connect() as client:
            yield Tools(client, port, host), site, port


@pytest.mark.parametrize("host", ["upstream", "client"])
async def test_below_a_path(tmp_path: Path, host: Literal["upstream", "client"]) -> None:
    """F-105, F-106, F-107: whether it is told the host that clients ask for or not, redirects of every form stay below
    the path, cookies are for the path, and no field names the server. Contents come in the coding that they came in."""
    async with tools(tmp_path, host) as (subject, _, _):
        for form in ("redirect", "absolute-redirect", "relative-redirect"):
            steps = await subject.follow(f"/tools/{form}/2")
            assert (len(steps), steps[-1]) == (2, "/tools/get"), form
        assert await subject.follow("/tools/redirect-to?url=%2Fget&status_code=307") == ["/tools/get"]

        assert await subject.follow("/tools/cookies/set?flavour=plain&size=2") == ["/tools/cookies"]
        assert subject.jar == {"flavour": "plain", "size": "2"}
        answer = await subject.get("/tools/cookies")
        assert json.loads(answer.body) == {"cookies": {"flavour": "plain", "size": "2"}}
        answer = await subject.get("/tools/cookies/delete?flavour")
        assert [each["path"] for each in subject.set_cookies(answer)] == ["/tools"]

        answer = await subject.get("/tools/response-headers?X-Own=1&X-Powered-By=PHP&Link=%3C/html%3E;rel=next")
        assert (answer.getall(b"X-Own"), answer.getall(b"X-Powered-By")) == ([b"1"], [])
        assert answer.getall(b"Link") == [b"</tools/html>;rel=next"]

        answer = await subject.get("/tools/gzip")
        assert (answer.getall(b"Content-Encoding"), json.loads(gzip.decompress(answer.body))["gzipped"]) == (
            [b"gzip"],
            True,
        )
        answer = await subject.get("/tools/deflate")
        assert json.loads(zlib.decompress(answer.body))["deflated"] is True
        answer = await subject.get("/tools/brotli")
        assert (answer.getall(b"Content-Encoding"), json.loads(brotli.decompress(answer.body))["brotli"]) == (
            [b"br"],
            True,
        )

        answer = await subject.get("/tools/stream/5")
        assert [json.loads(line)["id"] for line in answer.body.splitlines()] == [0, 1, 2, 3, 4]
        assert b"Herman Melville" in (await subject.get("/tools/html")).body
        assert b"<form" in (await subject.get("/tools/forms/post")).body
        answer = await subject.get("/tools/post", method="POST", body=b"size=small&topping=cheese")
        assert json.loads(answer.body)["form"] == {"size": "small", "topping": "cheese"}


async def test_its_errors(tmp_path: Path) -> None:
    """Its errors have the application's page, or a problem document for who wants JSON; what it says below 500 is its
    answer, with what belongs to it."""
    async with tools(tmp_path, "upstream") as (subject, _, _):
        answer = await subject.get("/tools/status/500", accept="text/html")
        assert (answer.status, answer.body) == (500, b"<p>Sorry")
        answer = await subject.get("/tools/status/503", accept="application/json")
        assert json.loads(answer.body)["title"] == "Service Unavailable"
        answer = await subject.get("/tools/status/401", accept="text/html")
        assert (answer.status, answer.getall(b"WWW-Authenticate")) == (401, [b'Basic realm="Fake Realm"'])
        answer = await subject.get("/tools/status/418", accept="text/html")
        assert b"teapot" in answer.body
        answer = await subject.get("/tools/status/500", accept="text/html", method="HEAD")
        assert (answer.status, answer.getall(b"Content-Length")) == (500, [b"8"])


BROKEN = """
from werkzeug.debug import DebuggedApplication
from flask import Flask

site = Flask(__name__)

@site.get("/fails")
def fails():
    password = "hunter2"
    return {}[password]

@site.get("/works")
def works():
    return "<h1>it works</h1>"

app = DebuggedApplication(site, evalex=True)
site.debug = True
"""


async def test_a_debugger_that_was_left_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """S-64: what Flask's debugger shows, the source and a console to type into, is the site's own page, and a line in
    the security log without a word of it. What works goes on."""
    (tmp_path / "program.py").write_text(BROKEN)
    pages = ErrorPages("<p>Sorry", traces=True, statuses=())
    async with httpbin(tmp_path, "program:app") as port:
        proxy = ProxyHandler(Upstream(f"http://127.0.0.1:{port}", name="broken"), filters=[pages])
        async with serving(proxy) as site:
            answers = []
            for path in ("/fails", "/works"):
                request = f"GET {path} HTTP/1.1\r\nHost: a.test\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
                answers.append(await site.ask(request.encode()))
    assert [(each.status, each.body) for each in answers] == [(500, b"<p>Sorry"), (200, b"<h1>it works</h1>")]
    (record,) = (each for each in caplog.records if each.name == "revproxy.security")
    assert (vars(record)["rule"], vars(record)["action"]) == ("debug-pages", "block 500")
    assert not any("hunter2" in each.getMessage() for each in caplog.records)
