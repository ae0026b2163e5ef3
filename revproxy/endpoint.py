"""One server behind the proxy, and what is known of it now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from yarl import URL

__all__ = ["Endpoint", "EndpointState"]


class EndpointState(StrEnum):
    """What an endpoint is used for."""

    ACTIVE = "active"
    DRAINING = "draining"
    """Requests in flight finish; no new ones."""


_ACTIVE = EndpointState.ACTIVE


class Endpoint:
    """One server: where it is, what share it gets, and how it is doing. Compared by identity.

    ``url``
        ``http://host:port``, ``https://host``, or ``unix:/path/of/a.sock``. A path in an http URL is put before every
        target, a query is merged in front of the request's.
    ``weight``
        The share of requests, relative to the others': an integer of at least 1.
    ``priority``, ``zone``, ``region``, ``location``, ``labels``
        For balancers that look at them: 0 is the most wanted priority; ``location`` is latitude and longitude in
        degrees.
    ``limit``
        Requests in flight at most; ``None``: no limit.

    Raises ``ValueError`` that names the parameter and its value.
    """

    __slots__ = (
        "authority",
        "host",
        "in_flight",
        "labels",
        "limit",
        "location",
        "name",
        "port",
        "prefix",
        "priority",
        "query",
        "rebases",
        "region",
        "secure",
        "socket_path",
        "state",
        "url",
        "version_and_host",
        "warms",
        "weight",
        "zone",
    )

    def __init__(
        self,
        url: str | URL,
        *,
        name: str = "",
        weight: int = 1,
        priority: int = 0,
        zone: str | None = None,
        region: str | None = None,
        location: tuple[float, float] | None = None,
        labels: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> None:
        check_weight(weight)
        if location is not None and not (abs(location[0]) <= 90 and abs(location[1]) <= 180):
            raise ValueError(f"location must be latitude and longitude in degrees, got {location}")
        if priority < 0:
            raise ValueError(f"priority must be at least 0, got {priority}")
        if limit is not None and limit < 1:
            raise ValueError(f"limit must be at least 1 or None, got {limit}")
        text = str(url)
        self.socket_path: str | None = None
        self.prefix: str = ""
        """What stands before every target: a raw path without a slash at its end."""
        self.query: str = ""
        self.port: int = 0
        if text.startswith("unix:"):
            self.socket_path = text.removeprefix("unix:").removeprefix("//")
            if not self.socket_path.startswith("/") or "\0" in self.socket_path:
                raise ValueError(f"url: unix: needs an absolute path, got {text!r}")
            self.url: URL = URL.build(scheme="unix", path=self.socket_path)
            self.secure: bool = False
            self.host: str = "localhost"
            self.authority: str = "localhost"
        else:
            self.url = parsed = _parse(text)
            self.secure = parsed.scheme == "https"
            host, port = parsed.host, parsed.port
            if not host or not port:
                raise ValueError(f"url: no host in {text!r}")
            self.host = host
            self.port = port
            # What is ASCII stays as it was written; yarl would have its own opinion of "%2f".
            _, _, rest = text.partition("://")
            path, _, query = rest[re.search(r"[/?]|\Z", rest).start() :].partition("?")  # type: ignore[union-attr]
            self.prefix = (path if path.isascii() else parsed.raw_path).rstrip("/")
            self.query = query if query.isascii() else parsed.raw_query_string
            # The zone of an address means something on this machine only (RFC 6874 section 1).
            bracketed = f"[{host.partition('%')[0]}]" if ":" in host else parsed.raw_host or host
            self.authority = bracketed if parsed.is_default_port() else f"{bracketed}:{port}"
        self.rebases: bool = bool(self.prefix or self.query)
        """Whether targets are sent there other than they came."""
        self.version_and_host: bytes = f" HTTP/1.1\r\nHost: {self.authority}\r\n".encode()
        """The end of every request line sent there, and the ``Host`` field behind it."""
        self.name: str = name or text
        self.weight: int = weight
        self.priority: int = priority
        self.zone: str | None = zone
        self.region: str | None = region
        self.location: tuple[float, float] | None = location
        self.labels: Mapping[str, str] = MappingProxyType(dict(labels or {}))
        self.limit: int | None = limit
        self.in_flight: int = 0
        self.state: EndpointState = EndpointState.ACTIVE
        self.warms: float | None = None
        """Since when it gets but a growing share (monotonic seconds), while it does."""

    def accepts(self, now: float) -> bool:
        """Whether a new request may go there at the monotonic time ``now``."""
        return self.state is _ACTIVE and (self.limit is None or self.in_flight < self.limit)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What it was made with, but for its URL. Setting it changes what is not known from experience."""
        return tuple(getattr(self, name) for name in _SETTINGS)

    @settings.setter
    def settings(self, settings: tuple[Any, ...]) -> None:
        for name, value in zip(_SETTINGS, settings, strict=True):
            setattr(self, name, value)

    def target(self, target: str) -> str:
        """``target`` as this endpoint is sent it: its prefix before, its query merged. ``*`` stays as it is."""
        if not self.rebases or not target.startswith("/"):
            return target
        path, mark, query = target.partition("?")
        if self.query:
            mark, query = "?", f"{self.query}&{query}" if query else self.query
        return f"{self.prefix}{path}{mark}{query}"

    def __repr__(self) -> str:
        limit = "" if self.limit is None else f"/{self.limit}"
        weight = "" if self.weight == 1 else f" weight={self.weight}"
        return f"<Endpoint {self.name} {self.state.value} in_flight={self.in_flight}{limit}{weight}>"


_SETTINGS = ("name", "weight", "priority", "zone", "region", "location", "labels", "limit")


def check_weight(weight: int) -> None:
    """Raise ``ValueError`` for what is no weight."""
    if type(weight) is not int or weight < 1:
        raise ValueError(f"weight must be an integer of at least 1, got {weight!r}")


def _parse(text: str) -> URL:
    if not text.isprintable() or " " in text:  # else some of it would be dropped, and some sent as Host
        raise ValueError(f"url: {text!r} has a space or control character")
    try:
        url = URL(text)
        url.port  # noqa: B018 - yarl checks the port on first use
    except (ValueError, TypeError) as error:
        raise ValueError(f"url: {text!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https"):
        hint = " (WebSockets pass over http: and https:)" if url.scheme in ("ws", "wss") else ""
        raise ValueError(f"url: {text!r} is neither http:, https: nor unix:{hint}")
    if url.user is not None or url.password is not None:
        raise ValueError("url: credentials do not belong into an endpoint's URL; set the field in a filter")
    if url.raw_fragment:
        raise ValueError(f"url: {text!r} has a fragment")
    return url
