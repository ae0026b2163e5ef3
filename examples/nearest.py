"""The nearest data centre for every client, and the next nearest where that is full or down.

python examples/nearest.py                               serves, with three small data centres of its own
python examples/nearest.py --database GeoLite2-City.mmdb finds out where clients are by that (extra "geo")
python examples/nearest.py --check                       sends requests through itself, and exits

Without a database a small table of networks says where clients are: every program on this machine comes from here, so
clients are whom X-Forwarded-For names, which is believed of this machine.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from typing import Any

from aiohttp import ClientSession, web

from revproxy import Component, Endpoint, Exchange, Filter, Handler, ProxyHandler, Response, TrustedProxies, Upstream
from revproxy.balancers import P2C, Locality, Nearest, PlaceCost
from revproxy.facts import UNKNOWN, Place
from revproxy.filters import GeoIp
from revproxy.geography import PLACE
from revproxy.routing import Failover

PORT = 8080
CENTRES = {"frankfurt": (50.1, 8.7), "ashburn": (39.0, -77.5), "singapore": (1.3, 103.8)}
LIMIT = 4
"""Requests that a data centre can do at a time: beyond that it is full."""

NETWORKS = {  # of RFC 5737, which nobody has
    "192.0.2.0/24": Place(country="DE", continent="EU", city="Munich", location=(48.1, 11.6)),
    "198.51.100.0/24": Place(country="US", continent="NA", city="New York", location=(40.7, -74.0)),
    "203.0.113.0/24": Place(country="JP", continent="AS", city="Tokyo", location=(35.7, 139.7)),
}


class Table(Component):
    """Finds places in a table of networks: what ``GeoIp`` does with a database."""

    provides = frozenset({PLACE})

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = {ip_network(network): place for network, place in places.items()}

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        ip = exchange.inbound.client.ip
        found = (place for network, place in self._places.items() if ip is not None and ip in network)
        exchange[PLACE] = next(found, UNKNOWN)
        return handler(exchange)


class Untried(PlaceCost):
    """What ``cost`` says, but the places where this request was tried already come last."""

    def __init__(self, cost: PlaceCost) -> None:
        self._inner = cost

    def bind(self, places: Mapping[str, tuple[Endpoint, ...]]) -> Callable[[Exchange], Callable[[str], float]]:
        inner = self._inner.bind(places)

        def cost(exchange: Exchange) -> Callable[[str], float]:
            of = inner(exchange)
            tried = {attempt.endpoint.zone for attempt in exchange.attempts}
            return lambda place: float("inf") if place in tried else of(place)

        return cost

    def __repr__(self) -> str:
        return f"Untried({self._inner!r})"


def nearest(urls: Mapping[str, str]) -> Upstream:
    """All of them; who is nearest comes first, and if that is full or drains, the next. A real data centre has several
    endpoints, of one zone: then fewer of its requests go to the next the fewer of them are full."""
    return Upstream(
        *(Endpoint(url, zone=name, location=CENTRES[name], limit=LIMIT) for name, url in urls.items()),
        name="site",
        balancer=Locality(P2C, Untried(Nearest())),
    )


def proxy_app(site: Upstream, places: Filter) -> web.Application:
    """A request that reached no server is tried again, twice, and each time elsewhere: so a data centre that is gone
    costs nobody an answer."""
    proxy = ProxyHandler(Failover(site, site, site), trusted=TrustedProxies("127.0.0.0/8"), filters=[places])
    app = web.Application()
    proxy.mount(app)
    return app


class Centre:
    """Stands for a data centre. A request for ``/slow`` takes until ``release`` is set."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy = 0
        self.full = asyncio.Event()
        self.release = asyncio.Event()

    def app(self) -> web.Application:
        async def say(request: web.Request) -> web.Response:
            if request.path == "/slow":
                self.busy += 1
                if self.busy == LIMIT:
                    self.full.set()
                await self.release.wait()
            return web.Response(text=self.name)

        app = web.Application()
        app.router.add_get("/{path:.*}", say)
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


async def check(url: str, site: Upstream, frankfurt: Centre, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Who is served from where. ``close`` ends Frankfurt."""
    addresses = {"Munich": "192.0.2.7", "New York": "198.51.100.7", "Tokyo": "203.0.113.7"}

    async def ask(city: str, path: str = "/") -> str:
        async with client.get(path, headers={"X-Forwarded-For": addresses[city]}) as response:
            assert response.status == 200
            return await response.text()

    async def expect(situation: str, centres: Mapping[str, str]) -> None:
        for city, centre in centres.items():
            answered = await ask(city)
            print(f"{situation}: {city} is served from {answered}")
            assert answered == centre

    async with ClientSession(url) as client:
        await expect("all is well", {"Munich": "frankfurt", "New York": "ashburn", "Tokyo": "singapore"})

        slow = [asyncio.create_task(ask("Munich", "/slow")) for _ in range(LIMIT)]
        await frankfurt.full.wait()
        await expect("frankfurt is full", {"Munich": "ashburn", "New York": "ashburn"})
        frankfurt.release.set()
        assert set(await asyncio.gather(*slow)) == {"frankfurt"}
        while await ask("Munich") != "frankfurt":
            pass  # how full a place is, is looked at ten times a second
        print("frankfurt has room: Munich is served from there again")

        await close()
        await expect("frankfurt is gone", {"Munich": "ashburn", "Tokyo": "singapore"})

        site.drain(*(each for each in site.endpoints if each.zone != "singapore"))
        await expect("all but singapore drain", {"Munich": "singapore", "New York": "singapore"})


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="send requests through the proxy and exit")
    parser.add_argument("--database", metavar="FILE", help="a MaxMind database of cities")
    arguments = parser.parse_args()
    places: Filter = GeoIp(arguments.database) if arguments.database and not arguments.check else Table(NETWORKS)
    centres = {name: Centre(name) for name in CENTRES}
    async with AsyncExitStack() as stack:
        each = {name: await stack.enter_async_context(AsyncExitStack()) for name in CENTRES}
        urls = {name: await each[name].enter_async_context(serving(centre.app())) for name, centre in centres.items()}
        site = nearest(urls)
        url = await stack.enter_async_context(serving(proxy_app(site, places), 0 if arguments.check else PORT))
        if arguments.check:
            await check(url, site, centres["frankfurt"], each["frankfurt"].aclose)
        else:
            print(f"proxy on {url}; try curl -H 'X-Forwarded-For: 203.0.113.7' {url}; Ctrl-C ends")
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
