"""Off with the first segments of the path."""

from __future__ import annotations

from multidict import istr

from ..canonical import below, canonical
from ..message import Move, Request
from .rewriting import Otherwise, Rewriting, constant

__all__ = ["StripPrefix"]

_PREFIX = istr("X-Forwarded-Prefix")


class StripPrefix(Rewriting):
    """Takes ``prefix`` off the path, whole segments of it: ``/api/x`` becomes ``/x``, ``/api`` becomes ``/``, and
    ``/api2`` is another segment. It is matched in canonical form (``/%61pi`` is ``/api``); the rest stays byte for
    byte.

    ``prefix``
        One segment or several. A slash at its end makes no difference.
    ``otherwise``
        What becomes of a path that is not below it: ``"refuse"``, 404, as nothing should be had under two names, of
        which rules know one; or ``"pass"``.
    ``forwarded``
        Say what was taken off in ``X-Forwarded-Prefix``, behind what ``mount(strip=True)`` or a trusted proxy took off
        if ``ProxyHandler(forwarded=...)`` lists that field. A client's own is never there.

    What would leave two slashes at the beginning, as ``/api//x`` does where a ``PathPolicy`` lets it in, is refused:
    400. Raises ``ValueError`` that names the parameter.
    """

    def __init__(self, prefix: str, *, otherwise: Otherwise = "refuse", forwarded: bool = False) -> None:
        super().__init__(otherwise)
        self.prefix: str = constant("prefix", prefix).rstrip("/")
        self.forwarded = forwarded
        self._canonical = canonical(self.prefix)

    def rewrite(self, target: str) -> str | None:
        return below(self._canonical, canonical(target.partition("?")[0]), target)

    def move(self) -> Move:
        return self._canonical, ""

    def rewritten(self, request: Request) -> None:
        super().rewritten(request)
        if self.forwarded and self.prefix:
            request.headers[_PREFIX] = request.headers.get(_PREFIX, "").rstrip("/") + self.prefix

    def __repr__(self) -> str:
        otherwise = "" if self.otherwise == "refuse" else f", otherwise={self.otherwise!r}"
        return f"StripPrefix({self.prefix or '/'!r}{otherwise}{', forwarded=True' if self.forwarded else ''})"
