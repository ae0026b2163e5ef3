"""The place of a proxy in an application's routing: everything below a path, whatever the method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from aiohttp import web
from yarl import URL

from ._aiohttp import defer_continue

__all__ = ["Mount"]


class Serve(Protocol):
    """``ProxyHandler.handle``."""

    async def __call__(self, request: web.BaseRequest, *, strip: str = "", inside: str = "") -> web.StreamResponse: ...


class Mount(web.AbstractResource):
    """A resource that takes every request to ``prefix`` and below it. ``""`` takes all, ``OPTIONS *`` included.

    A pattern would not do: it misses ``*``, stops at an encoded line end, and cannot have a prefix that needs encoding.
    ``defer``: leave it to the proxy to tell a client to go on that waits for ``100 Continue``. ``handle`` is given the
    request and the whole prefix, those of sub-applications included, with ``strip`` to take it off.
    """

    def __init__(self, prefix: str, handle: Serve, *, strip: bool, defer: bool) -> None:
        super().__init__()
        self.prefix: str = URL(prefix).raw_path if prefix else ""  # encoded, whichever way it was given
        self.place()

        async def stripped(request: web.Request) -> web.StreamResponse:
            return await handle(request, strip=self.prefix)

        async def whole(request: web.Request) -> web.StreamResponse:
            return await handle(request, inside=self.prefix)

        # aiohttp tells a client that waits for 100 Continue before any middleware has seen the request.
        expect_handler = defer_continue if defer else None
        self.route: web.ResourceRoute = web.ResourceRoute(
            "*", stripped if strip else whole, self, expect_handler=expect_handler
        )

    def place(self) -> None:
        """Work out what ``prefix`` means to the routing."""
        # What aiohttp looks up: decoded but for what would then be ambiguous, so that "/%61pp" is below "/app".
        self.path: str = URL.build(path=self.prefix, encoded=True).path_safe if self.prefix else ""
        self.below: str = f"{self.path}/"

    @property
    def canonical(self) -> str:
        return self.path or "/"

    def add_prefix(self, prefix: str) -> None:
        self.prefix = prefix + self.prefix
        self.place()

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        if self.path:
            path = request.rel_url.path_safe
            if path != self.path and not path.startswith(self.below):
                return None, set()
        return web.UrlMappingMatchInfo({}, self.route), {"*"}

    def url_for(self, *args: str, **kwargs: str) -> URL:
        """The URL of the prefix itself."""
        return URL.build(path=self.prefix or "/", encoded=True)

    def get_info(self) -> dict[str, str]:  # type: ignore[override]  # a TypedDict of aiohttp's own, all of it optional
        return {"prefix": self.prefix}

    def raw_match(self, path: str) -> bool:
        return False  # else the router would add the next route of this path to this resource, which takes none

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self.route,))

    def __repr__(self) -> str:
        return f"<Mount {self.canonical}>"
