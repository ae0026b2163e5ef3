"""Servers in processes of their own: ``web.run_app`` and gunicorn, from their start to the signal that ends them."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trustme
from aiohttp import web

from revproxy.testing import FakeUpstream, hold, raw, stall

from .wire import TIMEOUT, Site

ROOT = Path(__file__).parents[2]
_START = 3 * TIMEOUT
"""Seconds that a process may take: where others are busy it takes some to import everything."""
PART = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart")


def ask(target: str = "/") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode()


def at(address: Any) -> Site:
    """A server at ``address``, whoever runs it."""
    return Site(cast(web.BaseRunner, SimpleNamespace(addresses=[address])))


class Process:
    """A server that was started by a test, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def says(self, words: str) -> str:
        """The next line that has these words in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_START):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line)
                if words in line:
                    return line
        raise EOFError(f"it ended without a word of {words!r}: {''.join(self.said)}")

    async def ends(self, sent: signal.Signals | None = None) -> int:
        """Its exit status, after the signal."""
        if sent is not None:
            self.process.send_signal(sent)
        async with asyncio.timeout(TIMEOUT):
            rest, _ = await self.process.communicate()
        self.said.append(rest.decode())
        assert "Traceback" not in "".join(self.said), "".join(self.said)
        return await self.process.wait()


@asynccontextmanager
async def started(*command: object, fds: Sequence[int] = (), **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *map(str, command),
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=fds,
        start_new_session=True,
    )
    server = Process(process)
    try:
        yield server
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


# web.run_app

RUN_APP = """
import asyncio, os, socket, sys
from aiohttp import web
from revproxy import ProxyHandler, Upstream

async def on_shutdown(app):
    print("it shuts down", flush=True)

app = web.Application()
app.on_shutdown.append(on_shutdown)
ProxyHandler(Upstream(os.environ["UPSTREAM"])).mount(app)
if os.environ.get("REVPROXY_TEST_LOOP") == "uvloop":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop
web.run_app(app, sock=socket.socket(fileno=int(sys.argv[1])), shutdown_timeout=1.0, loop=new_event_loop())
print("it has ended", flush=True)
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_run_app_is_told_to_end(sent: signal.Signals) -> None:
    """``run_app`` ends at SIGTERM and at SIGINT: it takes no new connection, a response under way gets to its end, one
    that does not within ``shutdown_timeout`` is cut, and the program goes on behind the call."""
    go = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = at(listener.getsockname())
        async with (
            FakeUpstream() as server,
            started("-c", RUN_APP, listener.fileno(), fds=[listener.fileno()], UPSTREAM=server.url) as process,
        ):
            listener.close()
            server.on("/finishes", PART, hold(go), raw(b"ial!"))
            server.on("/never", PART, stall())
            async with site.connect() as finishes, site.connect() as never:
                await finishes.send(ask("/finishes"))
                await finishes.until(b"part")
                if sent is signal.SIGTERM:
                    await never.send(ask("/never"))
                    await never.until(b"part")
                process.process.send_signal(sent)
                await process.says("it shuts down")
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(*site.address)
                go.set()
                await finishes.gets(b"ial!")
                assert (await finishes.rest(), finishes.was_reset) == (b"", False)
                assert await never.rest() == b""
                assert never.was_reset == (sent is signal.SIGTERM)
            await process.says("it has ended")
            assert await process.ends() == 0
            await server.gone(server.connections)


# gunicorn

APP = """
import os
from aiohttp import web
from revproxy import ProxyHandler, Upstream

async def name(exchange, handler):
    response = await handler(exchange)
    response.headers["X-Worker"] = str(os.getpid())
    return response

async def on_startup(app):
    print("it is ready", os.getpid(), flush=True)

async def on_shutdown(app):
    print("it shuts down", os.getpid(), flush=True)

proxy = ProxyHandler(Upstream(os.environ["UPSTREAM"]), filters=[name])

async def create():
    app = web.Application()
    app.on_startup.append(on_startup)
    app.on_shutdown.append(on_shutdown)
    proxy.mount(app)
    return app

async def create_runner():
    return web.AppRunner(await create(), auto_decompress=False)
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an application in it. Its path is short, for the sake of sockets."""
    folder = tmp_path_factory.mktemp("g")
    (folder / "program.py").write_text(APP)
    return folder


@asynccontextmanager
async def gunicorn(
    folder: Path, *options: object, app: str = "create", upstream: FakeUpstream
) -> AsyncIterator[Process]:
    """With the worker for the loop that the tests run on."""
    worker = "GunicornUVLoopWebWorker" if os.environ.get("REVPROXY_TEST_LOOP") == "uvloop" else "GunicornWebWorker"
    arguments = ["--chdir", folder, "--worker-class", f"aiohttp.{worker}", "--no-control-socket", *options]
    command = ["-m", "gunicorn", f"program:{app}", *arguments]
    async with started(*command, UPSTREAM=upstream.url, HOME=str(folder)) as process:
        yield process


async def test_gunicorn(folder: Path) -> None:
    """Under gunicorn every worker has a proxy of its own. One that is killed takes its requests with it, and what was
    sent of a response is recognizable as a part; the others go on, and another takes its place. At SIGTERM a response
    under way gets to its end, and then no connection to the upstream is left."""
    go = asyncio.Event()
    async with FakeUpstream() as server:
        server.on("/part", PART, hold(go), raw(b"ial!"))
        options = ["--bind", "127.0.0.1:0", "--workers", 2, "--access-logfile", "-", "--access-logformat", "%a %r %s"]
        async with gunicorn(folder, *options, upstream=server) as process:
            said = await process.says("Listening at: ")
            site = at(("127.0.0.1", int(said.split("127.0.0.1:")[1].split()[0])))
            for _ in range(2):
                await process.says("it is ready")
            async with site.connect() as client:
                await client.send(ask("/part"))
                killed = int((await client.head()).getall(b"X-Worker")[0])
                await client.gets(b"part")
                assert killed != process.process.pid
                os.kill(killed, signal.SIGKILL)
                assert await client.rest() == b""
                await server.gone()
            await process.says("it is ready")  # before that, gunicorn may lose a signal to a worker
            async with site.connect() as idle, site.connect() as client:
                await idle.send(ask("/x"))
                assert (await idle.response()).body == b"ok"
                await client.send(ask("/part"))
                serving = int((await client.head()).getall(b"X-Worker")[0])
                await client.gets(b"part")
                assert serving != killed
                process.process.send_signal(signal.SIGTERM)
                await process.says(f"it shuts down {serving}")
                go.set()
                await client.gets(b"ial!")
                assert (await client.rest(), await idle.rest()) == (b"", b"")
                assert not client.was_reset
            assert await process.ends() == 0
            assert "127.0.0.1 GET /x HTTP/1.1 200\n" in "".join(process.said)
        await server.gone(server.connections)


async def test_gunicorn_with_a_runner(folder: Path) -> None:
    """F-36, F-50: gunicorn may be given a coroutine that makes a runner, with the server's options; it may listen on a
    Unix socket, and with TLS."""
    context, ca = ssl.create_default_context(), trustme.CA()
    ca.configure_trust(context)
    certificate = ca.issue_cert("a.test")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    options = ["--bind", f"unix:{folder}/s", "--keyfile", folder / "key.pem", "--certfile", folder / "certificate.pem"]
    sent = gzip.compress(b"hello")
    async with FakeUpstream() as server:
        async with gunicorn(folder, *options, app="create_runner", upstream=server) as process:
            await process.says("it is ready")
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(
                    f"{folder}/s", ssl=context, server_hostname="a.test"
                )
                fields = b"Host: a.test\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n" % len(sent)
                writer.write(b"POST / HTTP/1.1\r\nConnection: close\r\n%b\r\n%b" % (fields, sent))
                assert (await reader.read()).endswith(b"\r\n\r\nok")
                writer.close()
                await writer.wait_closed()
            assert await process.ends(signal.SIGQUIT) == 0
        (request,) = server.requests
        assert (request.getall("Content-Encoding"), request.body) == (["gzip"], sent)
        assert (request.getall("X-Forwarded-For"), request.getall("X-Forwarded-Proto")) == ([], ["https"])
