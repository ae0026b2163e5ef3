"""The runner by itself; what clients see of it is in tests/e2e/test_guard.py."""

from __future__ import annotations

import pytest
from aiohttp import web

from revproxy._aiohttp_server import options_of
from revproxy.guard import Guard, GuardedRunner

from ..wire import nothing_left as nothing_left


async def test_options() -> None:
    """What aiohttp's server does not know is refused when it is given, not when the first client comes."""
    with pytest.raises(TypeError, match=r"^options: aiohttp's server does not know keepalive, speed$"):
        GuardedRunner(web.Application(), keepalive=3, speed=4)
    with pytest.raises(TypeError, match=r"^guard must be a Guard, got 10$"):
        GuardedRunner(web.Application(), guard=10)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"web\.Application"):
        GuardedRunner("app")  # type: ignore[arg-type]


async def test_defaults() -> None:
    """S-51: nothing is inflated and idle connections end after 75 s, unless the options say otherwise."""
    app = web.Application()
    told = GuardedRunner(app, auto_decompress=True, keepalive_timeout=5.0)
    for runner, expected in ((GuardedRunner(app), (False, 75.0)), (told, (True, 5.0))):
        await runner.setup()
        assert runner.server is not None
        assert runner.server().keepalive_timeout == expected[1]
        assert options_of(runner, None)["auto_decompress"] is expected[0]
        await runner.cleanup()
    assert told.guard == Guard()


async def test_it_may_start_again() -> None:
    """A runner that has ended can be set up once more, and one that never was can be cleaned up."""
    runner = GuardedRunner(web.Application())
    for _ in range(2):
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await runner.cleanup()
    await GuardedRunner(web.Application()).cleanup()
    assert repr(runner) == ("<GuardedRunner: <Door: 0 of 10000 connections, 0 networks known>, <Ledger of server: 0>>")
    assert (runner.connections, runner.counts) == (0, {})


async def test_an_application_that_does_not_start() -> None:
    """What its start raises is raised, and nothing is left."""

    async def fails(app: web.Application) -> None:
        raise LookupError

    app = web.Application()
    app.on_startup.append(fails)
    runner = GuardedRunner(app)
    with pytest.raises(LookupError):
        await runner.setup()
    await runner.cleanup()
