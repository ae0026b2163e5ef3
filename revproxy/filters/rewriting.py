"""What the filters that rewrite targets have in common: when they act, and what they never send."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from ..canonical import canonical, encoded_twice
from ..errors import BadRequest, NoRoute
from ..exchange import Exchange
from ..handler import Component, Handler
from ..message import Move, Request, Response
from ..paths import PathPolicy

__all__ = ["Otherwise", "Rewriting"]

Otherwise: TypeAlias = Literal["pass", "refuse"]
"""What becomes of a request that a filter is not for: it passes as it is, or there is nothing here (404)."""

_read_open = PathPolicy().bind(conditions=False)
_read_strict = PathPolicy(encoded_slash="refuse", empty_segments="refuse").bind(conditions=False)


class Rewriting(Component, ABC):
    """Base of the filters that rewrite the target of what goes upstream; ``exchange.inbound`` stays what it is.

    A target that is no path (``OPTIONS *``) passes as it is. Raises ``NoRoute`` for what it is not for if ``otherwise``
    is ``"refuse"``, and ``BadRequest`` where the new target would be one that no client could have sent.
    """

    reads_path = True

    def __init__(self, otherwise: Otherwise) -> None:
        if otherwise not in get_args(Otherwise):
            raise ValueError(f"otherwise must be 'pass' or 'refuse', got {otherwise!r}")
        self.otherwise: Otherwise = otherwise

    @abstractmethod
    def rewrite(self, target: str) -> str | None:
        """What becomes of ``target``, which begins with a slash; ``None`` if this filter is not for it. Raises
        ``BadRequest`` for what must not be sent."""

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        request = exchange.request
        before = request.target
        try:
            after = self.rewrite(before) if before.startswith("/") else None
            if after is not None:
                check(before, after)
        except BadRequest as error:
            raise BadRequest(f"{self!r}: {error}") from None
        if after is not None:
            request.target = after
            self.rewritten(request)
        elif self.otherwise == "refuse" and before != "*":
            raise NoRoute(f"{self!r} is not for this path")
        return handler(exchange)

    def move(self) -> Move | None:
        """What it always takes off in front of a path, and puts there; ``None``: it makes other paths of them."""
        return None

    def rewritten(self, request: Request) -> None:
        """The target of ``request`` is another one now."""
        request.moves = (*request.moves, self.move())


def constant(name: str, path: object) -> str:
    """A path that the developer has written, with what a URL cannot hold percent-encoded. Raises ``TypeError`` or
    ``ValueError``, which name the parameter, also for what no honest client would send."""
    if not isinstance(path, str):
        raise TypeError(f"{name} must be a path, got {path!r}")
    if "?" in path:
        raise ValueError(f"{name} must be a path without a query, got {path!r}")
    check_constant(name, path, path)
    return encoded(path)


def check_constant(name: str, target: str, written: str) -> None:
    """Raise ``ValueError`` if ``target``, as the developer has ``written`` it, does not have exactly one reading."""
    if not target.startswith("/"):
        raise ValueError(f"{name} must begin with a slash, got {written!r}")
    try:
        _read_strict(target)
    except BadRequest as error:
        raise ValueError(f"{name}: {str(error).partition(' (')[0]}: {written!r}") from None


def encoded(text: str) -> str:
    """``text`` with what a URL cannot hold percent-encoded, and all else as it is."""
    return quote(text, safe="%/?!$&'()*+,;=:@", errors="surrogateescape")


def check(before: str, after: str) -> None:
    """Raise ``BadRequest`` if ``after``, which the target ``before`` has become, is no target, or has a second reading
    that ``before`` has not: an encoded slash, an empty segment, a percent-encoding within one, or two slashes at its
    beginning, by which what follows is taken for a host. (What came was let in by the proxy's ``PathPolicy``, whichever
    that is.)"""
    if not after.startswith("/"):
        raise BadRequest("no slash at the beginning of the path")
    path = _read_open(after).path
    if encoded_twice(path) and not encoded_twice(canonical(before.partition("?")[0])):
        raise BadRequest("the rewriting made a percent-encoding within percent-encoding")
    if "%2F" in path or "//" in path:
        came = canonical(before.partition("?")[0])
        if "%2F" in path and "%2F" not in came:
            raise BadRequest("the rewriting made an encoded slash")
        if "//" in path and "//" not in came:
            raise BadRequest("the rewriting made an empty segment")
        if path.startswith("//") and not came.startswith("//"):
            raise BadRequest("two slashes at the beginning of the path")
