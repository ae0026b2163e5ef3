"""Runs a subject that is an aiohttp application; also what all of them are told on the command line."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from collections.abc import Callable

from aiohttp import web


def serve(build: Callable[[argparse.Namespace], web.Application]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--backend", required=True, help="the back end's URL, without a path")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), required=True)
    parser.add_argument("--rules", type=int, default=0)
    arguments = parser.parse_args()
    web.run_app(
        build(arguments),
        host="127.0.0.1",
        port=arguments.port,
        access_log=None,
        print=None,
        loop=_new_loop(arguments.loop),
    )


def _new_loop(name: str) -> asyncio.AbstractEventLoop:
    if name == "uvloop":
        # Not an import statement, so that type checkers need no uvloop, which is an extra.
        loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
        return loop
    return asyncio.new_event_loop()
