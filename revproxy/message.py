"""The two requests and the response: what the client sent (read-only), what goes upstream, what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy, istr

from .body import EMPTY, Body
from .facts import ClientAddress
from .headers import decode_fields, encode_fields
from .tunnel import Tunnel

__all__ = ["Fields", "HttpVersion", "Inbound", "Move", "Request", "Response", "request_of_lines", "response_of_lines"]

HttpVersion: TypeAlias = tuple[int, int]
Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""Header fields, in order. A ``CIMultiDict`` is taken as it is, anything else is copied into one."""

Move: TypeAlias = tuple[str, str]
"""What a rewriting has taken off in front of a path, and what it has put there instead: canonical, without a slash at
the end."""

_HOST = istr("Host")
_CONTENT_LENGTH = istr("Content-Length")
_COOKIE = istr("Cookie")
_DATE = istr("Date")
_OF_THE_CONNECTION = tuple(
    istr(name) for name in ("Connection", "Expect", "Keep-Alive", "Transfer-Encoding", "Upgrade")
)


class Inbound:
    """What the client sent. Read-only; the costly properties are computed on first use.

    ``method``, ``target``
        As on the wire: case kept, nothing decoded.
    ``path``
        The one canonical reading of the path (see ``paths``): what rules match and caches key.
    ``query_string``
        What stands after the first ``?``, raw; ``None`` if there is none.
    ``headers``
        As received, hop-by-hop fields included.
    ``version``
        ``(1, 1)`` or ``(1, 0)``.
    ``scheme``, ``host``
        ``"http"`` or ``"https"``; the authority that the client asked for (with port, if it named one).
    ``peer``
        The connection's ``peername``, as asyncio gives it.
    """

    # Set on first use.
    _cookies: MultiDictProxy[str]
    _query: MultiDictProxy[str]
    _tls: Any

    __slots__ = (
        "_client",
        "_cookies",
        "_extra",
        "_query",
        "_tls",
        "headers",
        "host",
        "method",
        "path",
        "peer",
        "query_string",
        "scheme",
        "target",
        "version",
    )

    def __init__(
        self,
        method: str,
        target: str,
        headers: CIMultiDictProxy[str],
        path: str,
        query_string: str | None = None,
        version: HttpVersion = (1, 1),
        scheme: str = "http",
        host: str = "",
        peer: object = None,
        extra: Callable[[str], Any] | None = None,
    ) -> None:
        self.method: str = method
        self.target: str = target
        self.headers: CIMultiDictProxy[str] = headers
        self.path: str = path
        self.query_string: str | None = query_string
        self.version: HttpVersion = version
        self.scheme: str = scheme
        self.host: str = host
        self.peer: object = peer
        self._client: ClientAddress | None = None
        self._extra = extra

    @property
    def client(self) -> ClientAddress:
        """Where the request comes from: the peer of the connection, or whom a trusted proxy has named."""
        client = self._client
        if client is None:
            client = self._client = ClientAddress.of_peer(self.peer)
        return client

    def introduce(self, client: ClientAddress) -> None:
        """Set ``client`` to what a trusted proxy said of it. Called by the edge."""
        self._client = client

    @property
    def query(self) -> MultiDictProxy[str]:
        """The query, decoded as form data, in order, duplicates and valueless keys included."""
        try:
            return self._query
        except AttributeError:
            pairs = parse_qsl(self.query_string or "", keep_blank_values=True, errors="surrogateescape")
            self._query = MultiDictProxy(MultiDict(pairs))
            return self._query

    @property
    def cookies(self) -> MultiDictProxy[str]:
        """The cookies, in order, duplicates included (RFC 6265 section 4.2.1)."""
        try:
            return self._cookies
        except AttributeError:
            cookies: MultiDict[str] = MultiDict()
            for line in self.headers.getall(_COOKIE, ()):
                for pair in line.split(";"):
                    name, equals, value = pair.strip(" \t").partition("=")
                    if equals:
                        name, value = name.rstrip(" \t"), value.lstrip(" \t")
                        cookies.add(name, value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value)
            self._cookies = MultiDictProxy(cookies)
            return self._cookies

    @property
    def tls(self) -> Any:
        """The client connection's ``ssl.SSLObject``, or ``None``."""
        try:
            return self._tls
        except AttributeError:
            self._tls = None if self._extra is None else self._extra("ssl_object")
            return self._tls

    def __repr__(self) -> str:
        return f"<Inbound {self.method} {self.target!r} from {self.client}>"


class _Message:
    """What a draft and a response have in common: field lines that are only decoded for whoever asks for them.

    ``lines``
        The field lines as they came, known to be well-formed; ``None`` once somebody has asked for ``headers``.
    ``came_declared``
        What ``Content-Length`` says among them.
    """

    __slots__ = ("_headers", "body", "came_declared", "lines")

    body: Body
    lines: bytes | None
    came_declared: int | None

    def __init__(self, headers: Fields | None, body: Body) -> None:
        self._headers = headers if isinstance(headers, CIMultiDict) else CIMultiDict(headers or ())
        self.lines = self.came_declared = None
        self.body = body

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields, in order and case; edit them in place or set new ones."""
        if self.lines is not None:
            self._headers = decode_fields(self.lines)
            self.lines = None
        return self._headers

    @headers.setter
    def headers(self, headers: CIMultiDict[str]) -> None:
        self.lines = None
        self._headers = headers

    def field_lines(self, length: int | None) -> bytes:
        """The fields for the wire, with a ``Content-Length`` of ``length``, or none for ``None``. Whatever a filter
        has set of the framing or of the connection is gone: they are not the message's to say, and two opinions of
        where a message ends are how requests are smuggled.

        Raises ``ValueError`` for what must not reach a wire.
        """
        lines = self.lines
        if lines is not None:
            if self.came_declared == length:
                return lines
            if self.came_declared is None and length is not None:
                return lines + b"Content-Length: %d\r\n" % length
        headers = self.headers
        for name in _OF_THE_CONNECTION:
            headers.popall(name, None)
        if length is None:
            headers.popall(_CONTENT_LENGTH, None)
        elif headers.getall(_CONTENT_LENGTH, None) != [str(length)]:
            headers[_CONTENT_LENGTH] = str(length)
        return encode_fields(headers)


_NONE = object()


class Request(_Message):
    """The draft of what goes upstream; filters edit it.

    ``method``, ``target``
        The target is raw: path and query as they will be sent.
    ``headers``
        Without a ``Host`` field the endpoint's own authority is sent. ``Content-Length`` and ``Transfer-Encoding``
        are the wire's to write: they follow from the body.
    ``body``
        ``EMPTY`` is no body at all; ``Body()`` one of length 0.
    ``upgrade``
        The token of the protocol that the client asks for (``"websocket"``), if it is one that is passed on. ``None``
        makes it an ordinary request.
    ``moves``
        How filters have rewritten the path of ``target``, in order, so that what the upstream says of its paths can be
        told the client in its own words; ``None`` is a rewriting that is none of what a path begins with.
    """

    __slots__ = ("came_target", "method", "moves", "target", "upgrade")

    def __init__(self, method: str, target: str, headers: Fields | None = None, body: Body = EMPTY) -> None:
        super().__init__(headers, body)
        self.method: str = method
        self.target: str = target
        self.upgrade: str | None = None
        self.moves: tuple[Move | None, ...] = ()
        self.came_target: object = _NONE
        """A target that is known to be well-formed."""

    @property
    def names_host(self) -> bool:
        """Whether a filter has set ``Host``. Raises ``ValueError`` for two of them."""
        if self.lines is not None:
            return False
        hosts = self._headers.getall(_HOST, [])
        if len(hosts) > 1:
            raise ValueError(f"two Host fields: {hosts}")
        return bool(hosts)

    def copy(self, body: Body) -> Request:
        """The same request with fields of its own, and with ``body``."""
        if self.lines is not None:
            copied = request_of_lines(self.method, self.target, self.lines, self.came_declared)
        else:
            copied = Request(self.method, self.target, self._headers.copy())
        copied.came_target = self.came_target
        copied.upgrade = self.upgrade
        copied.moves = self.moves
        copied.body = body
        return copied

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.target!r}, {self.headers!r}, {self.body!r})"


class Response(_Message):
    """An answer as a value. The framing follows from ``body``, whatever ``Content-Length`` says.

    ``reason``: ``None`` is the standard phrase of the status. ``tunnel``: with a 101, and only with it, what the
    connection has become.
    """

    __slots__ = ("came_dated", "reason", "status", "tunnel")

    def __init__(
        self,
        status: int,
        headers: Fields | None = None,
        body: Body = EMPTY,
        reason: str | None = None,
        tunnel: Tunnel | None = None,
    ) -> None:
        super().__init__(headers, body)
        self.status: int = status
        self.reason: str | None = reason
        self.tunnel: Tunnel | None = tunnel
        self.came_dated: bool = False

    @property
    def declared(self) -> int | None:
        """What ``Content-Length`` says: the body's length, or what a body would have that is not sent (HEAD, 304)."""
        if self.lines is not None:
            return self.came_declared
        value = self._headers.get(_CONTENT_LENGTH, "")
        return int(value) if value.isascii() and value.isdigit() else None

    @property
    def dated(self) -> bool:
        """Whether there is a ``Date``."""
        return self.came_dated if self.lines is not None else _DATE in self._headers

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.headers!r}, {self.body!r}, reason={self.reason!r})"


# Not class methods, nor by way of __init__: twice an exchange that would cost more than the rest of it.
_new = object.__new__


def request_of_lines(method: str, target: str, lines: bytes, declared: int | None) -> Request:
    """A request whose target and field lines are known to be well-formed, and were not decoded; ``declared`` is the
    value of ``Content-Length`` among them."""
    self = _new(Request)
    self.method = method
    self.target = self.came_target = target
    self.lines = lines
    self.came_declared = declared
    self.body = EMPTY
    self.upgrade = None
    self.moves = ()
    return self


def response_of_lines(status: int, reason: str, lines: bytes, declared: int | None, dated: bool) -> Response:
    """A response whose field lines are known to be well-formed and were not decoded; ``dated``: ``Date`` is among
    them."""
    self = _new(Response)
    self.status = status
    self.reason = reason
    self.lines = lines
    self.came_declared = declared
    self.came_dated = dated
    self.body = EMPTY
    self.tunnel = None
    return self
