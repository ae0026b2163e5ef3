"""Blue and green: a new release takes over all at once, and the old one comes back as fast if need be.

Two sets of servers run the two releases; the proxy sends to one of them. POST /deploy/green asks each of green's
servers whether it is ready, then makes them the members of the upstream, in one step: the request before it goes to
blue, the next one to green. What is under way ends where it began, and the answer to the POST comes when all of it has
ended.

python examples/blue_green.py            serves, with servers of its own, until interrupted
python examples/blue_green.py --check    switches to and fro under load, prints what happened, and exits
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from revproxy import ProxyHandler, Upstream

CHECK = "--check" in sys.argv
PORT = 8080


def gateway(sets: Mapping[str, list[str]], first: str) -> web.Application:
    """The proxy before ``sets`` of servers, by the colour of their release."""
    site = Upstream(*sets[first], name="site")
    deploying = asyncio.Lock()

    async def deploy(request: web.Request) -> web.Response:
        colour = request.match_info["colour"]
        if colour not in sets:
            raise web.HTTPNotFound(text=f"there is no {colour}\n")
        async with deploying:
            late = [url for url in sets[colour] if not await is_ready(url)]
            if late:
                raise web.HTTPConflict(text=f"not ready: {', '.join(late)}\n")
            before = site.endpoints
            now = site.replace(*sets[colour])
            async with asyncio.timeout(60):
                for endpoint in before:
                    if endpoint not in now:
                        await site.drained(endpoint)
        return web.Response(text=f"{colour} is live\n")

    app = web.Application()
    app.router.add_post("/deploy/{colour}", deploy)  # in earnest: behind authentication, or on a port of its own
    ProxyHandler(site).mount(app)
    return app


async def is_ready(url: str) -> bool:
    """Whether the server says that it is."""
    try:
        async with ClientSession(timeout=ClientTimeout(total=2)) as client, client.get(f"{url}/ready") as response:
            return response.status == 200
    except (ClientError, TimeoutError):
        return False


def release(colour: str, go_on: asyncio.Event) -> web.Application:
    """Stands for a server of one release. Its report stops in the middle until it may ``go_on``."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=colour)

    async def report(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun by " + colour.encode())
        await go_on.wait()
        await response.write(b", ended by " + colour.encode())
        return response

    async def ready(request: web.Request) -> web.Response:
        return web.Response(text="ready")

    app = web.Application()
    app.add_routes([web.get("/ready", ready), web.get("/report", report), web.get("/{path:.*}", page)])
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


async def check(url: str, go_on: asyncio.Event) -> None:
    """Switch to and fro while clients ask without a pause."""
    seen: Counter[str] = Counter()
    done = asyncio.Event()

    async def ask(client: ClientSession) -> str:
        async with client.get("/") as response:
            page = await response.text() if response.status == 200 else f"failed: {response.status}"
        seen[page] += 1
        return page

    async def load(client: ClientSession) -> None:
        while not done.is_set():
            await ask(client)

    async def deploy(client: ClientSession, colour: str) -> str:
        async with client.post(f"/deploy/{colour}") as response:
            return await response.text()

    async with ClientSession(url) as client, asyncio.TaskGroup() as tasks:
        loads = [tasks.create_task(load(client)) for _ in range(4)]
        for colour in ("green", "blue", "green", "blue"):
            print((await deploy(client, colour)).strip())
        assert "there is no red" in await deploy(client, "red")

        async with client.get("/report") as report:  # a long answer, begun by blue
            switch = tasks.create_task(deploy(client, "green"))
            while await ask(client) != "green":
                pass
            assert not switch.done()  # it waits for the report
            go_on.set()
            print(await report.text())
        assert "green is live" in await switch
        done.set()
        await asyncio.gather(*loads)
    failed = seen.total() - seen["blue"] - seen["green"]
    print(f"{seen['blue']} pages by blue, {seen['green']} by green, {failed} failed")
    assert set(seen) == {"blue", "green"}


async def main() -> None:
    go_on = asyncio.Event()
    async with AsyncExitStack() as stack:
        sets = {
            colour: [await stack.enter_async_context(serving(release(colour, go_on))) for _ in range(2)]
            for colour in ("blue", "green")
        }
        url = await stack.enter_async_context(serving(gateway(sets, "blue"), 0 if CHECK else PORT))
        print(f"{url}, blue is live; curl -X POST {url}/deploy/green")
        if CHECK:
            await check(url, go_on)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
