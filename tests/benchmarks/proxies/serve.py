"""Runs a subject that is an aiohttp application, or one of raw protocols; also what all of them are told on the command
line."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from collections.abc import Callable

from aiohttp import web

from revproxy.guard import GuardedRunner


def told() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--backend", required=True, help="the back end's URL, without a path")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), required=True)
    parser.add_argument("--rules", type=int, default=0)
    parser.add_argument("--resilient", action="store_true")
    parser.add_argument("--guarded", action="store_true")
    parser.add_argument("--limited", action="store_true")
    parser.add_argument("--unhidden", action="store_true")
    parser.add_argument("--redact", action="store_true")
    parser.add_argument("--inspect", choices=("hyperscan", "words"))
    return parser.parse_args()


def serve(build: Callable[[argparse.Namespace], web.Application]) -> None:
    arguments = told()
    if arguments.guarded:
        _guarded(build(arguments), arguments)
        return
    web.run_app(
        build(arguments),
        host="127.0.0.1",
        port=arguments.port,
        access_log=None,
        print=None,
        loop=new_loop(arguments.loop),
    )


def _guarded(app: web.Application, arguments: argparse.Namespace) -> None:
    async def run() -> None:
        runner = GuardedRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", arguments.port, backlog=1024).start()
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=lambda: new_loop(arguments.loop)) as running:
        running.run(run())


def listen(protocol: Callable[[], asyncio.Protocol], port: int, loop: str) -> None:
    """One of these for every connection, for ever."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        runner.run(run())


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    if name == "uvloop":
        # Not an import statement, so that type checkers need no uvloop, which is an extra.
        loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
        return loop
    return asyncio.new_event_loop()
