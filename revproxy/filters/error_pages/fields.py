"""Which fields of an answer go on where its content does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import MappingProxyType

from multidict import CIMultiDict, istr

from ...headers import is_token

__all__ = ["KEPT", "Kept"]

KEPT: tuple[str, ...] = (
    "Accept",
    "Accept-Encoding",
    "Accept-Patch",
    "Accept-Post",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Allow",
    "Content-Range",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Strict-Transport-Security",
    "Vary",
    "WWW-Authenticate",
)
"""What a client needs in order to ask better, or not at all for a while, and a page in order to read the status: fields
about the request, not about the content that is replaced, nor about the server."""

_OF_STATUS = MappingProxyType({"content-range": 416, "www-authenticate": 401, "allow": 405})
"""Fields that mean something with one status only; others may have them and say more than they should."""

_FRAMING = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "keep-alive",
        "last-modified",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields about the content or the connection, which would be lies about the page."""


class Kept:
    """The fields of an upstream's error that a page in its place has, too. Raises ``ValueError`` for a name that is
    none, or of a field that would be wrong there."""

    def __init__(self, names: Collection[str]) -> None:
        for each in names:
            if isinstance(names, str) or not is_token(each) or each.lower() in _FRAMING:
                raise ValueError(f"fields must be names of fields that are not about the content, got {names!r}")
        self._fields = tuple((istr(each), _OF_STATUS.get(each.lower())) for each in names)

    def of(self, status: int, headers: CIMultiDict[str]) -> Iterable[tuple[str, str]]:
        """Those of ``headers``, of an answer of ``status``."""
        for name, only in self._fields:
            if only is None or only == status:
                for value in headers.getall(name, ()):
                    yield str(name), value

    def __repr__(self) -> str:
        return f"Kept({', '.join(str(name) for name, _ in self._fields)})"
