"""What clients do not learn of the servers behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from multidict import CIMultiDict

from ..exchange import Attempt
from ..message import Response
from .cookies import Cookies
from .links import link, refresh
from .names import KEPT, NEEDED, TELLING, alternatives, check_names, covers
from .public_origin import PublicOrigin
from .translation import Translation

__all__ = ["HideUpstream"]

_ORIGIN = PublicOrigin()
_COOKIES = Cookies()
_Edit: TypeAlias = Callable[[str, Translation], "str | None"]


class HideUpstream:
    """Has responses of upstreams say nothing of what stands behind: which programs, which machines, at which addresses
    and under which paths. What a ``ProxyHandler`` does by default::

        ProxyHandler(site, hide=HideUpstream(remove=["X-Pod-*"], origin=PublicOrigin("https://shop.example")))

    It is done as a response arrives from an ``Upstream``, interim ones (1xx) and the 101 of a WebSocket included,
    before any filter sees it. What handlers and filters of the application say themselves is left alone.

    ``remove``
        Names of fields that go, besides the well-known ones (``hiding.names``). With ``*`` at the end all that begin
        so.
    ``keep``
        Those of them that stay.
    ``only``
        In the place of all that: the names of those that pass. What HTTP cannot do without passes always, and what
        tells browsers not to do something. ``Set-Cookie``, ``Link`` and ``Access-Control-*`` are fields like others.
    ``origin``
        What becomes of URLs in ``Location``, ``Content-Location``, ``Link`` and ``Refresh``; ``None``: they stay.
    ``cookies``
        What becomes of ``Set-Cookie``; ``None``, or with ``origin=None``: it stays.

    Raises ``ValueError`` or ``TypeError`` that names the parameter.
    """

    def __init__(
        self,
        *,
        remove: Collection[str] = (),
        keep: Collection[str] = (),
        only: Collection[str] | None = None,
        origin: PublicOrigin | None = _ORIGIN,
        cookies: Cookies | None = _COOKIES,
    ) -> None:
        if origin is not None and not isinstance(origin, PublicOrigin):
            raise TypeError(f"origin must be a PublicOrigin object or None, got {origin!r}")
        if cookies is not None and not isinstance(cookies, Cookies):
            raise TypeError(f"cookies must be a Cookies object or None, got {cookies!r}")
        if only is not None and (remove or keep):
            raise ValueError("only: it says all; remove and keep have no use beside it")
        more, stays = check_names("remove", remove, removed=True), check_names("keep", keep)
        self.origin: PublicOrigin | None = origin
        self.cookies: Cookies | None = cookies
        self._edits: dict[str, _Edit] = {}
        if origin is not None:
            self._edits |= dict.fromkeys(("location", "content-location", *origin.urls), _url)
            self._edits |= {"link": link, "refresh": refresh}
            if cookies is not None:
                self._edits["set-cookie"] = cookies.edited
        self._said = (remove, keep, only)
        if only is None:
            removed = [name.lower() for name in TELLING if name.lower() not in stays]
            removed += [name for name in more if name not in stays]
            kept = [name for name in (*KEPT, *stays) if name.endswith("*") or covers(removed, name)]
            gone = (f"(?!(?:{alternatives(kept)}):)" if kept else "") + alternatives(removed)
            edited = [name for name in self._edits if covers(kept, name) or not covers(removed, name)]
        else:
            kept = [*KEPT, *(name.lower() for name in NEEDED), *check_names("only", only)]
            gone = f"(?!(?:{alternatives(kept)}):)[^:]+"
            edited = [name for name in self._edits if covers(kept, name)]
        mapped = f"({alternatives(edited)})|" if edited else "(?!)()|"
        # Looked for in lower-cased lines, each behind a line end: one look at a response that has none of these.
        pattern = re.compile(f"\n(?:{mapped}{gone}):".encode())
        self._search = pattern.search
        self._match = pattern.match

    def edit(self, attempt: Attempt, response: Response) -> None:
        """Hide in ``response``, to ``attempt``, what is to be hidden. What is not touched stays in order and byte for
        byte, and undecoded if it was."""
        lines = response.lines
        if lines is None:
            self._edit_headers(attempt, response)
            return
        lowered = b"\n" + lines.lower()
        found = self._search(lowered)
        if found is None:
            return
        kept = b""
        at = 0
        translation: Translation | None = None
        while found is not None:
            start = found.start()
            kept += lines[at:start]
            at = lines.index(b"\n", start) + 1
            name = found[1]
            if name is not None:
                if translation is None:
                    assert self.origin is not None
                    translation = self.origin.translation(attempt)
                kept += self._line(lines[start:at], name.decode("ascii"), translation)
            found = self._search(lowered, at)
        response.lines = kept + lines[at:]

    def _line(self, line: bytes, name: str, translation: Translation) -> bytes:
        before = line[len(name) + 1 : -2]
        value = before.decode("utf-8", "surrogateescape").strip(" \t")
        edited = self._edits[name](value, translation)
        if edited == value:
            return line
        return b"" if edited is None else b"%b: %b\r\n" % (line[: len(name)], edited.encode("utf-8", "surrogateescape"))

    def _edit_headers(self, attempt: Attempt, response: Response) -> None:
        edited: CIMultiDict[str] = CIMultiDict()
        translation: Translation | None = None
        is_changed = False
        for name, value in response.headers.items():
            found = self._match(f"\n{name.lower()}:".encode("utf-8", "surrogateescape"))
            said: str | None = value
            if found is not None and found[1] is None:
                said = None
            elif found is not None:
                if translation is None:
                    assert self.origin is not None
                    translation = self.origin.translation(attempt)
                said = self._edits[name.lower()](value, translation)
            if said is not None:
                edited.add(name, said)
            is_changed = is_changed or said != value
        if is_changed:
            response.headers = edited

    def __repr__(self) -> str:
        said = [
            f"{name}={list(given)}" for name, given in zip(("remove", "keep", "only"), self._said, strict=True) if given
        ]
        if self.origin is None:
            said.append("origin=None")
        else:
            said.append(f"origin={self.origin!r}")
        said.append(f"cookies={self.cookies!r}")
        return f"HideUpstream({', '.join(said)})"


def _url(value: str, translation: Translation) -> str | None:
    return translation.url(value)
