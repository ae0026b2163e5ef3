"""One server behind the proxy, and what is known of it now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, TypeAlias

from yarl import URL

from .addresses import AddressPolicy

__all__ = ["Endpoint", "EndpointState", "Ramp"]

Ramp: TypeAlias = Callable[[float], float]
"""The share of its requests that an endpoint gets at a monotonic time, of 1; from 1 on it gets all of them."""


class EndpointState(StrEnum):
    """What an endpoint is used for."""

    ACTIVE = "active"
    DRAINING = "draining"
    """Requests in flight finish, and sessions go on; nothing new."""


_ACTIVE, _DRAINING = EndpointState.ACTIVE, EndpointState.DRAINING


class Endpoint:
    """One server: where it is, what share it gets, and how it is doing. Compared by identity.

    ``url``
        ``http://host:port``, ``https://host``, or ``unix:/path/of/a.sock``. A path in an http URL is put before every
        target, a query is merged in front of the request's.
    ``address``
        The IP address to connect to, where it is known: nobody resolves the URL's host then, which still is what
        ``Host`` says and what TLS asks for and verifies. Two endpoints may have one URL and differ by it.
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
        "_cap",
        "_holders",
        "_limit",
        "_most",
        "_open",
        "_pardoned",
        "_well",
        "address",
        "authority",
        "drains",
        "host",
        "identity",
        "in_flight",
        "labels",
        "location",
        "name",
        "policy",
        "port",
        "prefix",
        "priority",
        "query",
        "ramp",
        "rebases",
        "region",
        "secure",
        "socket_path",
        "url",
        "version_and_host",
        "waiting",
        "weight",
        "zone",
    )

    def __init__(
        self,
        url: str | URL,
        *,
        address: str | None = None,
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
        self.address: str | None = address if address is None else _address(address, self.socket_path)
        at = "" if self.address is None else f" at {self.address}"
        self.identity: str = f"{self.url.scheme}://{self.url.raw_authority}{self.url.raw_path_qs}{at}"
        """What no two members of an upstream have in common, and what stays the same from one process to the next."""
        self.rebases: bool = bool(self.prefix or self.query)
        """Whether targets are sent there other than they came."""
        self.version_and_host: bytes = f" HTTP/1.1\r\nHost: {self.authority}\r\n".encode()
        """The end of every request line sent there, and the ``Host`` field behind it."""
        self.name: str = name or text + at
        self.weight: int = weight
        self.priority: int = priority
        self.zone: str | None = zone
        self.region: str | None = region
        self.location: tuple[float, float] | None = location
        self.labels: Mapping[str, str] = MappingProxyType(dict(labels or {}))
        self._cap: int | None = None
        self.limit = limit
        self.in_flight: int = 0
        self.ramp: Ramp | None = None
        """What it gets but a share by, since it is new or back; ``None``: it gets all of it."""
        self.drains: bool = False
        self.waiting: list[Callable[[], object]] = []
        """What is called when nothing is in flight any more."""
        self._holders: set[object] = set()
        self._pardoned = False
        self._well = self._open = True
        self.policy: AddressPolicy | None = None
        """What is asked before it is connected to. Set by the upstream; ``None``: nobody, as the program named it."""

    def accepts(self, now: float) -> bool:
        """Whether a new request may go there at the monotonic time ``now``."""
        return self._open and self.in_flight < self._most

    def keeps(self, now: float) -> bool:
        """Whether a request of a session that is there may go there at the monotonic time ``now``: also while it
        drains."""
        return self._well and self.in_flight < self._most

    # How many requests at most. Worked out when it changes, too.

    @property
    def limit(self) -> int | None:
        """Requests in flight at most, as declared; ``None``: no limit."""
        return self._limit

    @limit.setter
    def limit(self, limit: int | None) -> None:
        self._limit = limit
        self._bound()

    @property
    def cap(self) -> int | None:
        """Requests in flight at most for now, as somebody has found out (``EndpointLimits``); ``None``: nobody. The
        lower one of it and of ``limit`` counts."""
        return self._cap

    @cap.setter
    def cap(self, cap: int | None) -> None:
        if cap != self._cap:
            self._cap = cap
            self._bound()

    def _bound(self) -> None:
        self._most: float = min((each for each in (self._limit, self._cap) if each is not None), default=float("inf"))

    # What is held against it. Nothing of that is asked for each request: it is worked out when it changes.

    @property
    def state(self) -> EndpointState:
        return _DRAINING if self.drains else _ACTIVE

    @state.setter
    def state(self, state: EndpointState) -> None:
        self.drains = state is _DRAINING
        self._decide()

    @property
    def held(self) -> bool:
        """Whether anybody holds it out, pardoned or not."""
        return bool(self._holders)

    @property
    def pardoned(self) -> bool:
        """It takes requests although it is held out, since too few others do."""
        return self._pardoned

    @pardoned.setter
    def pardoned(self, pardoned: bool) -> None:
        self._pardoned = pardoned
        self._decide()

    def hold(self, holder: object) -> None:
        """Let it get nothing until ``holder``, and all others who hold it, release it."""
        self._holders.add(holder)
        self._decide()

    def release(self, holder: object) -> None:
        """``holder`` holds it no more."""
        self._holders.discard(holder)
        self._decide()

    def _decide(self) -> None:
        self._well = self._pardoned or not self._holders
        self._open = self._well and not self.drains

    def refused_by(self, policy: AddressPolicy) -> str | None:
        """Why ``policy`` refuses what it was made with, or ``None``. A name is not resolved."""
        return policy.refuses_url(self.url.scheme, self.address or self.host, self.port)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What it was made with, but for its URL and address. Setting it changes what is not known from experience."""
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
        limit = "" if self._most == float("inf") else f"/{self._most}"
        weight = "" if self.weight == 1 else f" weight={self.weight}"
        held = " ejected" if self._holders else ""
        return f"<Endpoint {self.name} {self.state.value}{held} in_flight={self.in_flight}{limit}{weight}>"


_SETTINGS = ("name", "weight", "priority", "zone", "region", "location", "labels", "limit")


def check_weight(weight: int) -> None:
    """Raise ``ValueError`` for what is no weight."""
    if type(weight) is not int or weight < 1:
        raise ValueError(f"weight must be an integer of at least 1, got {weight!r}")


def _address(address: str, socket_path: str | None) -> str:
    if socket_path is not None:
        raise ValueError(f"address: a socket has none, got {address!r}")
    try:
        return str(ip_address(address))
    except ValueError:
        raise ValueError(f"address must be an IP address, got {address!r}") from None


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
