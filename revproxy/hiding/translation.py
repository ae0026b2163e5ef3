"""What URLs in one response mean to the client."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal, TypeAlias

from ..canonical import canonical
from ..errors import BadRequest
from .authority import Authority, authority, is_internal
from .route import Route

__all__ = ["Internal", "Translation"]

Internal: TypeAlias = Literal["pass", "map", "remove"]
"""What becomes of the URL of a host that is neither the upstream nor one that clients could reach."""

_REFERENCE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?:([/\\]{2,})([^/\\?#]*))?([^?#]*)(.*)")
"""RFC 3986 appendix B, as browsers read it (WHATWG URL): backslashes are slashes, and more than two of them are two."""

_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_DOTS = re.compile(r"(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|\Z)", re.IGNORECASE)
_DOT = re.compile("%2e", re.IGNORECASE)
_SOCKETS = frozenset({"ws", "wss"})


class Translation:
    """Turns what an upstream says of itself into what its client knows.

    ``names``
        The authorities that the upstream has. They are asked for once, when a URL has one.
    ``origin``
        ``https://shop.example``: what stands in their place; empty: nothing, so that a URL becomes a path.
    ``route``
        The way back of paths; ``None``: nobody knows it, and paths stay.
    ``came``, ``sent``
        The canonical paths that the client has asked for and that the upstream was sent.
    ``scheme``, ``asked``
        The scheme of the client's request, and the authority in it.
    ``internal``
        What becomes of other hosts that are inside.
    """

    __slots__ = (
        "_came",
        "_find_names",
        "_found",
        "_host",
        "_internal",
        "_is_level",
        "_origin",
        "_scheme",
        "_sent",
        "route",
    )

    def __init__(
        self,
        names: Callable[[], Collection[Authority]],
        *,
        origin: str = "",
        route: Route | None = None,
        came: str = "/",
        sent: str = "/",
        scheme: str = "http",
        asked: str = "",
        internal: Internal = "pass",
    ) -> None:
        self._find_names = names
        self._found: Collection[Authority] | None = None
        self._origin = origin
        self.route: Route | None = route or None
        """``None``: paths stay as they are."""
        self._came = came if came.startswith("/") else "/"
        self._sent = sent if sent.startswith("/") else "/"
        self._scheme = scheme
        self._host = asked
        self._internal = internal
        self._is_level: bool | None = None  # whether what is beside the one path is beside the other

    def url(self, text: str) -> str | None:
        """What the client should be told for ``text``, a URL or a reference to one (RFC 3986 section 4.1). ``None``:
        nothing, for it names what is inside, and cannot be said otherwise.

        Whatever host the result names, ``text`` names it already, or it is that of ``origin``.
        """
        bare = text.strip(" ")  # as browsers read it
        told = self._told(bare)
        return text if told == bare else told

    def _told(self, text: str) -> str | None:
        found = _REFERENCE.fullmatch(text)
        if found is None or _CONTROL.search(text) is not None:
            return self.odd(text)
        scheme, slashes, host, path, rest = found.groups()
        if scheme is None and slashes is None:
            return self._local(text, path, rest)
        scheme = scheme and scheme.lower()
        named = authority(host) if slashes else None
        if named is None:  # without slashes, too: browsers find a host there all the same (WHATWG URL section 4.4)
            return self.odd(text)
        if scheme in _SOCKETS:
            return self._socket(text, named, path, rest)
        if scheme not in (None, "http", "https"):
            return text if named not in self._names or named == self._public else None
        if named not in self._names:
            if self._internal == "pass" or not self._is_inside(named):
                return text
            if self._internal == "remove":
                return None
        elif scheme == "https" and self._scheme == "http" and named == self._asked and not self._origin:
            return text  # it insists on TLS, by the client's own word for it
        path = path or "/"
        return f"{self._origin}{_rooted(self._back(path) or path)}{rest}"

    def path(self, path: str) -> str:
        """What the client calls the path of a cookie."""
        if self.route is None or not path.startswith("/") or self.route.says(path):
            return path
        return self.route.back(path, covers=True) or path

    def is_mine(self, domain: str) -> bool:
        """Whether a cookie's ``domain``, lower-cased, is the upstream's, and none that the client could take a cookie
        for (RFC 6265 section 5.1.3)."""
        public = self._public
        if public is not None and _covers(domain, public[0]):
            return False
        return any(_covers(domain, host) for host, _ in self._names)

    def odd(self, text: str) -> str | None:
        """What cannot be read, if it does not name the upstream."""
        lowered = _CONTROL.sub("", text).lower()  # browsers drop tabs wherever they stand
        public = self._public
        for host in self._hosts:
            if public is not None and host == public[0]:
                continue
            name = re.escape(f"[{host}]" if ":" in host else host)
            if re.search(rf"(?<![\w.-]){name}\.?(?::[0-9]*)?(?![\w.-])", lowered) is not None:
                return None
        return text

    @property
    def is_secure(self) -> bool:
        """Whether the client has asked over TLS."""
        return self._scheme == "https"

    @property
    def _names(self) -> Collection[Authority]:
        if self._found is None:
            self._found = self._find_names()
        return self._found

    @property
    def _hosts(self) -> frozenset[str]:
        return frozenset(host for host, _ in self._names)

    @property
    def _asked(self) -> Authority | None:
        return authority(self._host) if self._host else None

    @property
    def _public(self) -> Authority | None:
        return authority(self._origin.partition("://")[2]) if self._origin else self._asked

    def _is_inside(self, named: Authority) -> bool:
        host = named[0]
        if host in {each[0] for each in (self._public, self._asked) if each is not None}:
            return False
        return host in self._hosts or is_internal(host)

    def _socket(self, text: str, named: Authority, path: str, rest: str) -> str | None:
        """The URL of a WebSocket, which cannot be said by a path: that would be of another scheme."""
        if named not in self._names or (named == self._public and not self._origin):
            return text
        if not self._origin:
            return None
        return f"ws{self._origin.removeprefix('http')}{_rooted(self._back(path or '/') or path)}{rest}"

    def _local(self, text: str, path: str, rest: str) -> str:
        """A reference without a host."""
        if self.route is None or not path:
            return text
        if path[0] in "/\\":
            back = self._back(path)
            return text if back is None or back == path else f"{_rooted(back)}{rest}"
        if self._is_level is None:
            self._is_level = self.route.back(_directory(self._sent)) == _directory(self._came)
        if self._is_level and _DOTS.search(path) is None:
            return text
        # Behind the same last segments it means the same to both, unless it goes up too far, or there is none.
        back = self.route.back(_resolved(self._sent, path))
        try:
            if back is None or canonical(back) == canonical(_resolved(self._came, path)):
                return text
        except BadRequest:
            return text
        return f"{_rooted(back)}{rest}"

    def _back(self, path: str) -> str | None:
        path = path.replace("\\", "/")
        if self.route is None:
            return None
        if _DOTS.search(path) is not None:
            path = _resolved("/", path)
        return path if self.route.says(path) else self.route.back(path)

    def __repr__(self) -> str:
        return f"<Translation of {sorted(self._names)} to {self._origin or '/'} by {self.route!r}>"


def _covers(domain: str, host: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not host[-1].isdigit())


def _rooted(path: str) -> str:
    """``path`` with one slash in front, whatever there was: two begin a host."""
    return "/" + path.lstrip("/\\")


def _directory(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _resolved(base: str, path: str) -> str:
    """RFC 3986 section 5.2: ``path`` behind ``base``, without dot segments."""
    path = path.replace("\\", "/")
    if not path.startswith("/"):
        path = _directory(base) + path
    kept: list[str] = []
    *segments, last = path.split("/")[1:]
    for segment in segments:
        _take(kept, segment)
    if _DOT.sub(".", last) in (".", ".."):
        _take(kept, last)
        last = ""
    return "/" + "/".join([*kept, last])


def _take(kept: list[str], segment: str) -> None:
    dots = _DOT.sub(".", segment)
    if dots == "..":
        del kept[-1:]
    elif dots != ".":
        kept.append(segment)
