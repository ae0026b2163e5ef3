"""Header fields on their way through: which end here (hop-by-hop), which the proxy adds, and how a head is written.

Field values are ``str`` decoded as UTF-8 with ``surrogateescape``, so that every byte from 0x80 up survives unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from multidict import CIMultiDict

from .errors import BadFraming

__all__ = [
    "REQUEST_FIELDS",
    "TRUSTED_REQUEST_FIELDS",
    "decode_fields",
    "encode_fields",
    "has_control",
    "is_plain",
    "is_protocol",
    "is_token",
    "nominated",
    "passed_on",
    "reserved_names",
]

_HOP_BY_HOP = frozenset(
    {
        "alpn",
        "close",
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 section 7.6.1 and what is treated like it in practice."""

_INTRODUCED = frozenset(
    {
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-proto",
    }
)
"""What the proxy says itself of where a request comes from; what others said of it is read before, or dropped."""

_REPLACED = _INTRODUCED | {
    "fastly-client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
}
"""What only a proxy before a back end should say, of the client or of what it asked for. Like every ``X-Forwarded-*``
and ``CF-*`` it is not passed on from a client, which could make it up."""

_PROTECTED = frozenset({"authorization", "content-length", "content-type", "cookie", "host", "set-cookie", "via"})
"""What ``Connection`` cannot nominate away: a back end may rely on it (CVE-2021-32813 and its kin)."""

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 section 5.6.2."""


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of RFC 9110 section 5.6.2, as field names and methods must be."""
    return TOKEN.fullmatch(text) is not None


def is_protocol(text: str) -> bool:
    """Whether ``text`` can stand in ``Upgrade``: a name, with or without a version (RFC 9110 section 7.8)."""
    name, slash, version = text.partition("/")
    return is_token(name) and (not slash or is_token(version))


_BOUND = 4096
"""Entries at most of a table of names; names beyond it are worked out anew each time."""


_PLAIN_NAME = re.compile("[A-Za-z0-9-]+")


class RequestFields(dict[bytes, "bytes | None"]):
    """Field names of requests as they stand on the wire, each as it is written, or ``None`` if the field ends here.

    ``trusted``: the names in requests of a trusted proxy, whose own additions pass. ``reserved``: names, lower-cased,
    that nobody but this proxy may say upstream.

    Names of other characters than letters, digits and dashes are no honest client's; CGI and WSGI read several of them
    as one. They end here, as in nginx. A look-up of one that could be taken for a field that something relies on,
    ``Content_Length`` for one, raises ``BadFraming``.
    """

    def __init__(self, *, trusted: bool = False, reserved: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.seldom: set[bytes] = set()
        """Of the names that were looked up, in whatever case, those of fields that few requests have and that mean
        something to the proxy."""
        self._dropped = _REQUEST_DROPPED | (_INTRODUCED if trusted else _REPLACED) | reserved
        self._trusted = trusted

    def __missing__(self, name: bytes) -> bytes | None:
        text = name.decode("latin-1")
        lowered = text.lower()
        plain = _PLAIN_NAME.fullmatch(text) is not None
        if not plain and _is_relied_on(re.sub("[^a-z0-9]", "-", lowered)):
            raise BadFraming("a field name that could be taken for another")
        ends = not plain or lowered in self._dropped
        if not self._trusted:
            ends = ends or lowered.startswith(("x-forwarded-", "cf-"))
        kept = None if ends else name + b": "
        if lowered in _SELDOM:
            self.seldom.add(name)
        if len(self) < _BOUND and len(name) <= 64:
            self[name] = kept
        return kept


_SELDOM = frozenset({"expect", "max-forwards", "range", "transfer-encoding", "via"})


def reserved_names(names: Collection[str]) -> frozenset[str]:
    """``names``, lower-cased. Raises ``ValueError`` for what cannot be reserved."""
    for name in names:
        if isinstance(names, str) or not _PLAIN_NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(f"reserved must be names of fields, of letters, digits and dashes, got {names!r}")
    return frozenset(name.lower() for name in names)


def is_plain(name: str) -> bool:
    """Whether a client's field of that ``name`` may be passed on at all: others end at the edge."""
    return _PLAIN_NAME.fullmatch(name) is not None


_FRAMING = frozenset({"connection", "content-length", "host", "transfer-encoding"})


def _is_relied_on(name: str) -> bool:
    return name in _RELIED_ON or name.startswith("x-forwarded-")


_RELIED_ON = _PROTECTED | _REPLACED | {"connection", "transfer-encoding"}

_REQUEST_DROPPED = _HOP_BY_HOP | {"expect", "host", "proxy"}
"""What of a request is not passed on. ``Host`` and ``Expect`` are written anew; ``Proxy`` is an attack on CGI programs
(httpoxy)."""

RESPONSE_DROPPED = _HOP_BY_HOP | {"alt-svc"}
"""What of a response is not passed on. ``Alt-Svc`` speaks of a listener that clients cannot reach."""

REQUEST_FIELDS = RequestFields()
TRUSTED_REQUEST_FIELDS = RequestFields(trusted=True)

PLAIN_CONNECTION = frozenset({"keep-alive", "close", "Keep-Alive", "Close"})
"""Values of ``Connection`` that nominate no field."""


MAX_CONNECTION = 4096
"""Characters of ``Connection`` at most that are looked at. More is no honest client's, and refused where it arrives."""


def nominated(connection: Iterable[str]) -> set[str]:
    """The fields, lower-cased, that ``Connection`` lines name as hop-by-hop, but for those that must not be removed
    that way (RFC 9110 section 7.6.1)."""
    text = ",".join([line for line in connection if line not in PLAIN_CONNECTION])[:MAX_CONNECTION]
    return {
        name
        for element in text.split(",")
        if (name := element.strip(" \t").lower())
        and name not in _PROTECTED
        and name not in _REPLACED
        and not name.startswith(("x-forwarded-", "cf-"))
    }


def passed_on(
    fields: Iterable[tuple[bytes, bytes]],
    connection: Iterable[str],
    names: Mapping[bytes, bytes | None] = REQUEST_FIELDS,
) -> list[bytes]:
    """Those request ``fields`` that are passed on, each as a line without its end, in order, case and every byte.

    ``connection``: the values of ``Connection``; what it nominates is not passed on either. ``names``:
    ``REQUEST_FIELDS``, or those of a trusted proxy. Raises ``BadFraming`` as they do.
    """
    dropped = nominated(connection) if connection else None
    if dropped:
        fields = [(name, value) for name, value in fields if name.decode("latin-1").lower() not in dropped]
    return [kept + value for name, value in fields if (kept := names[name]) is not None]


_CONTROLS = bytes(c for c in range(0x20) if c != 0x09) + b"\x7f"
_valid_names: set[str] = set()


def has_control(raw: bytes) -> bool:
    """Whether ``raw`` holds a control character other than a tab."""
    return len(raw) != len(raw.translate(None, _CONTROLS))


def encode_fields(headers: CIMultiDict[str]) -> bytes:
    """The field lines of ``headers``, each ended.

    Raises ``ValueError``, which names the field, if a name is not a token or a value holds a control character
    (RFC 9110 section 5.5): nothing of it must reach a wire.
    """
    raw = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("utf-8", "surrogateescape")
    # Every control character that is there but for the line ends is one too many.
    if len(raw) - len(raw.translate(None, _CONTROLS)) != 2 * len(headers) or not _valid_names.issuperset(headers):
        _check(headers)
    return raw


def _check(headers: CIMultiDict[str]) -> None:
    for name, value in headers.items():
        if not is_token(name):
            raise ValueError(f"{name!r} is not a field name")
        if has_control(value.encode("utf-8", "surrogateescape")):
            raise ValueError(f"control character in the value of {name}: {value!r}")
        if len(_valid_names) < _BOUND:
            _valid_names.add(str(name))


def decode_fields(lines: bytes) -> CIMultiDict[str]:
    """Well-formed field lines, as ``encode_fields`` writes them, in order and case."""
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines.decode("utf-8", "surrogateescape").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        headers.add(name, value.strip(" \t"))
    return headers
