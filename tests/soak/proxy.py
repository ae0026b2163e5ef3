"""The command ``python -m tests.soak.proxy URL [pull]``: a proxy alone in its process, until its standard input ends.

It prints the port that it listens on. ``pull``: behind a filter that makes it pull response bodies.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web

from revproxy import ProxyHandler, Upstream

from ..e2e.pull import pull


async def main(url: str, *options: str) -> None:
    app = web.Application()
    ProxyHandler(Upstream(url), filters=[pull] if "pull" in options else []).mount(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    await runner.cleanup()


if __name__ == "__main__":
    if os.environ.get("REVPROXY_TEST_LOOP") == "uvloop":
        import uvloop

        uvloop.run(main(*sys.argv[1:]))
    else:
        asyncio.run(main(*sys.argv[1:]))
