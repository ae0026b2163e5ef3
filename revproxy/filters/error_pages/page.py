"""What stands in place of an error: a value, a function that makes one, or a handler that is asked for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, TypeAlias

from multidict import CIMultiDict, istr

from ...exchange import Exchange
from ...handler import Handler, check_shape, name
from ...headers import encode_fields
from ...media_types import media_type
from ...message import Request

__all__ = ["Page", "PageFrom", "PageOf"]

_FILE = re.compile(r"[^\s<]+\.(?:html?|txt|json)", re.IGNORECASE)
"""Text that is the name of a file, and no page."""
_FIELDS = tuple(
    istr(each)
    for each in (
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Via",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    )
)
"""What whoever is asked for a page gets of the draft: nothing that says who asks, or what for."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, as it is sent.

    ``content``
        Text, which is sent as UTF-8, or bytes.
    ``content_type``
        What it is.
    ``status``
        What it is sent with; ``None``: the status of the error.
    ``headers``
        Other fields of it, which win over all others: a ``Content-Security-Policy``, a ``Retry-After``, a
        ``Cache-Control`` other than ``no-store``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    content: str | bytes
    content_type: str = "text/html; charset=utf-8"
    _: KW_ONLY
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.content, str | bytes):
            raise TypeError(f"content must be str or bytes, got {self.content!r}")
        kind = media_type([self.content_type])
        if kind is None:
            raise ValueError(f"content_type: {self.content_type!r} is no media type")
        if isinstance(self.content, str):
            self.content.encode()  # raises for a lone surrogate
            if kind.parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
                raise ValueError(f"content_type: text is sent as UTF-8, got {self.content_type!r}")
        if self.status is not None and (type(self.status) is not int or not 200 <= self.status <= 599):
            raise ValueError(f"status must be 200 to 599 or None, got {self.status!r}")
        if self.status in (204, 205, 304):
            raise ValueError(f"status: an answer of {self.status} has no content")
        for each in self.headers:
            if each.lower() in ("content-type", "content-length", "transfer-encoding"):
                raise ValueError(f"headers: {each} follows from the content")
        encode_fields(CIMultiDict(self.headers))

    @property
    def data(self) -> bytes:
        """The bytes of it."""
        return self.content.encode() if isinstance(self.content, str) else self.content


@dataclass(frozen=True, slots=True)
class PageFrom:
    """A page that a handler is asked for: an ``Upstream`` with static files, an async function of an exchange.

    It is asked by an exchange of its own, a ``GET`` (a ``HEAD`` if the client asks so) for ``target`` without a body,
    that tells it nothing of the request but what concerns the form of an answer (``Accept`` and its kin) and the
    addresses that it came by: neither what was asked for nor cookies or credentials. Whoever has to know more finds it
    in ``exchange.inbound``, and what went wrong in ``exchange[INSTEAD_OF]``.

    ``handler``
        Answers with 200, or with the status that the page is for; anything else is a failure, and the client gets the
        plain form of the error.
    ``target``
        What it is asked for; ``{status}`` stands for the status: ``"/errors/{status}.html"``.
    ``status``
        ``"kept"``: its answer is sent with the status of the error, and is not stored by caches. ``"own"``: with its
        own, whichever that is, and the fields as they are.
    ``timeout``
        Seconds until its answer must be there, all of it.
    ``limit``
        Bytes that it may have.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    handler: Handler
    target: str = "/"
    _: KW_ONLY
    status: Literal["kept", "own"] = "kept"
    timeout: float = 2.0
    limit: int = 262144

    def __post_init__(self) -> None:
        if not callable(self.handler):
            raise TypeError(f"handler: {self.handler!r} is no handler: it is not callable")
        check_shape("handler", self.handler, 1)
        plain = self.target.replace("{status}", "500")
        if not plain.startswith("/") or not plain.isascii() or not plain.isprintable() or set(' {}#"\\') & set(plain):
            raise ValueError(
                f"target must be a path from '/', with {{status}} at most to be filled, got {self.target!r}"
            )
        if self.status not in ("kept", "own"):
            raise ValueError(f"status must be 'kept' or 'own', got {self.status!r}")
        if not 0 < self.timeout < float("inf"):
            raise ValueError(f"timeout must be above 0 and finite, got {self.timeout!r}")
        if type(self.limit) is not int or self.limit < 1:
            raise ValueError(f"limit must be a positive integer, got {self.limit!r}")

    def draft(self, exchange: Exchange, status: int) -> Request:
        """What the handler is asked, for an error of ``status``."""
        came = exchange.request.headers
        fields = CIMultiDict((str(each), value) for each in _FIELDS for value in came.getall(each, ()))
        method = "HEAD" if exchange.inbound.method == "HEAD" else "GET"
        return Request(method, self.target.replace("{status}", str(status)), fields)

    def __repr__(self) -> str:
        own = "" if self.status == "kept" else f", status={self.status!r}"
        return f"PageFrom({name(self.handler)}, {self.target!r}{own})"


Content: TypeAlias = str | bytes | Page
Function: TypeAlias = Callable[[Exchange, int], Content | Awaitable[Content]]
PageOf: TypeAlias = Content | Function | Handler | PageFrom
"""What a page is made of: text or bytes of HTML; a ``Page``; a function of an exchange and a status, async or not, that
returns one of these; or a handler, which is asked as ``PageFrom(handler)`` says."""


def source_of(parameter: str, page: PageOf) -> Page | Function | PageFrom:
    """``page`` in one of its three forms. Raises ``TypeError`` for what is none, ``ValueError`` for the name of a
    file."""
    if isinstance(page, str | bytes):
        return _of_text(parameter, page)
    if isinstance(page, Page | PageFrom):
        return page
    if not callable(page):
        raise TypeError(f"{parameter}: {page!r} is no page, nor does it make one")
    try:
        check_shape(parameter, page, 2)
    except TypeError:
        if isinstance(page, type):
            raise
        return PageFrom(page)  # type: ignore[arg-type]  # it takes one, or PageFrom says that it does not
    return page  # type: ignore[return-value]  # it takes two


def made(parameter: str, content: object) -> Page:
    """What a function has returned, as a page. Raises ``TypeError`` for what is none, ``ValueError`` for the name of a
    file."""
    if isinstance(content, str | bytes):
        return _of_text(parameter, content)
    if isinstance(content, Page):
        return content
    raise TypeError(f"{parameter} returned {content!r}, which is no page")


def _of_text(parameter: str, text: str | bytes) -> Page:
    if isinstance(text, str) and _FILE.fullmatch(text):
        raise ValueError(
            f"{parameter}: {text!r} looks like the name of a file, and would be the text of the page itself: give"
            f" Path({text!r}).read_text()"
        )
    return Page(text)
