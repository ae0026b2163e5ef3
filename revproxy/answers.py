"""Handlers that answer for themselves: refuse, respond, redirect, close."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from multidict import CIMultiDict

from .body import EMPTY, Body
from .errors import Drop
from .exchange import Exchange
from .handler import Handler
from .headers import encode_fields
from .message import Response
from .problems import problem

__all__ = ["Block", "Fixed", "block", "drop", "redirect", "respond"]

_WITHOUT_CONTENT = frozenset({204, 205, 304})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Block:
    """Refuses; see ``block``. A rule with it is logged even if it has no severity."""

    __slots__ = ("action", "status", "title")

    def __init__(self, status: int, title: str) -> None:
        self.status: int = status
        self.title: str = title
        self.action: str = f"block {status}"

    async def __call__(self, exchange: Exchange) -> Response:
        return problem(exchange, self.status, self.title)

    def __repr__(self) -> str:
        return f"block({self.status}, title={self.title!r})"


class Fixed:
    """Answers every exchange alike (``respond``, ``redirect``), each with fields of its own: filters may edit them."""

    __slots__ = ("_repr", "action", "body", "headers", "status")

    def __init__(self, status: int, headers: CIMultiDict[str], body: Body, *, action: str, repr: str) -> None:
        encode_fields(headers)  # raises for what must not reach a wire
        self.status: int = status
        self.headers: CIMultiDict[str] = headers
        self.body: Body = body
        self.action: str = action
        self._repr = repr

    async def __call__(self, exchange: Exchange) -> Response:
        return Response(self.status, self.headers.copy(), self.body)

    def __repr__(self) -> str:
        return self._repr


def block(status: int = 403, *, title: str | None = None) -> Handler:
    """Refuse with ``status`` (400 to 599) and a problem document that says ``title``, by default the status's phrase.

    A rule with it that has no severity is logged as a warning. Raises ``ValueError``.
    """
    if type(status) is not int or not 400 <= status <= 599:
        raise ValueError(f"status must be 400 to 599, got {status!r}")
    if title is None:
        title = next((known.phrase for known in HTTPStatus if known == status), "Refused")
    return Block(status, title)


def respond(
    status: int,
    body: str | bytes = b"",
    *,
    content_type: str = "text/plain; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Handler:
    """Answer with ``status`` (200 to 599) and ``body``; text is sent as UTF-8. ``headers`` are added, and win.

    Raises ``ValueError``, also for a field that must not reach a wire, and for content with a status that has none.
    """
    if not 200 <= status <= 599:
        raise ValueError(f"status must be 200 to 599, got {status!r}")
    if body and status in _WITHOUT_CONTENT:
        raise ValueError(f"body: a {status} response has none")
    fields: CIMultiDict[str] = CIMultiDict({"Content-Type": content_type} if body else {})
    fields.update(headers or {})
    data = body.encode() if isinstance(body, str) else bytes(body)
    said = f"respond({status}{f', <{len(data)} bytes>' if data else ''})"
    return Fixed(status, fields, Body(data) if data else EMPTY, action=f"respond {status}", repr=said)


class _Dropped(Block):
    """Closes without a word; see ``drop``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(444, "Dropped")
        self.action = "drop"

    async def __call__(self, exchange: Exchange) -> Response:
        raise Drop("a rule says so")

    def __repr__(self) -> str:
        return "drop()"


def drop() -> Handler:
    """Close the client's connection without an answer, as nginx does with its 444. Who probes learns nothing, not even
    that somebody is there who understands HTTP.

    A rule with it that has no severity is logged as a warning.
    """
    return _Dropped()


class _Moved(Fixed):
    """A ``redirect`` that keeps what comes behind."""

    __slots__ = ("_location",)

    def __init__(self, status: int, location: str) -> None:
        said = f"redirect({location!r}, {status}, keep_target=True)"
        fields = CIMultiDict({"Location": location})
        super().__init__(status, fields, EMPTY, action=f"redirect {status}", repr=said)
        self._location = location.removesuffix("/")

    async def __call__(self, exchange: Exchange) -> Response:
        # Never two slashes in front: behind an origin they are a path, behind a path nobody's host.
        target = quote(exchange.request.target, safe=_AS_IT_IS, errors="surrogateescape").lstrip("/")
        return Response(self.status, {"Location": f"{self._location}/{target}"}, EMPTY)


_AS_IT_IS = "!$%&'()*+,/:;=?@[]~"


def redirect(location: str, status: int = 302, *, keep_target: bool = False) -> Handler:
    """Send the client to ``location``: an ``http:`` or ``https:`` URL, or a path from ``/``; always the same one,
    unless ``keep_target``: then path and query follow behind it, as filters within the rule have made them. ::

        Rule(when.scheme("http"), redirect("https://shop.example", 308, keep_target=True))
        Rule(when.path("/old/*"), Pipeline(StripPrefix("/old"), handler=redirect("/new", keep_target=True)))

    ``status`` is 301, 302, 303, 307 or 308. Raises ``ValueError``, also for a location that is not printable ASCII, or
    has a query where more is to follow.
    """
    if status not in _REDIRECTS:
        raise ValueError(f"status must be one of {', '.join(map(str, sorted(_REDIRECTS)))}, got {status!r}")
    if not location.isascii() or not location.isprintable() or " " in location:
        raise ValueError(f"location: {location!r} is not printable ASCII without spaces: percent-encode it")
    if not location.startswith(("http://", "https://", "/")) or location.startswith("//"):
        raise ValueError(f"location: {location!r} is neither an http: or https: URL nor a path from '/'")
    if keep_target:
        if "?" in location or "#" in location or location == "/":
            raise ValueError(f"location: nothing can follow {location!r}")
        return _Moved(status, location)
    return Fixed(
        status,
        CIMultiDict({"Location": location}),
        EMPTY,
        action=f"redirect {status}",
        repr=f"redirect({location!r}, {status})",
    )
