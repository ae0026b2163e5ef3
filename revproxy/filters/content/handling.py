"""What becomes of responses that cannot simply be edited."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal, get_args, get_type_hints

__all__ = ["SHADOW", "Handling", "stricter"]


@dataclass(frozen=True, slots=True)
class Handling:
    """How a filter of content deals with what cannot simply be edited. The defaults fail closed.

    ``unreadable``
        A response whose content cannot be read: in a content coding that nothing here undoes, or in characters that do
        not have ASCII among them (UTF-16). ``"refuse"``: ``ResponseRefused`` (502). ``"pass"``: it goes on as it is.
        What the upstream is told that clients accept (``Accept-Encoding``) is cut down to what can be undone.
    ``no_transform``
        A response that says ``Cache-Control: no-transform`` (RFC 9110 section 7.7). ``"edit"``: it is edited like any
        other, as a server may do with its own; ``"refuse"``: 502; ``"pass"``: it goes on as it is.
    ``ranges``
        ``"strip"``: no range is ever asked for of the upstream, as a part of a content cannot be edited like the whole;
        a server may always answer with the whole (RFC 9110 section 14.2). ``"keep"``: it is asked for, for media that
        the filter does not look into; a part of what it would have to look into is refused (502), unless the filter
        edits nothing and what is ``unreadable`` passes.
    ``recode``
        Content that came in a coding is put into the same one again; ``False``: it goes on without one.
    ``max_ratio``
        How many times longer than what came the content may be that comes of it; looked at from 64 KiB on. More is a
        bomb: ``BadContent`` (502).
    ``max_decoded``
        Bytes of content at most that may come of a coding; more is ``BadContent``, too.

    Where the head has gone out already, the client's connection is cut instead.

    Raises ``ValueError`` that names the parameter.
    """

    unreadable: Literal["refuse", "pass"] = "refuse"
    no_transform: Literal["edit", "refuse", "pass"] = "edit"
    ranges: Literal["strip", "keep"] = "strip"
    recode: bool = True
    max_ratio: int = 100
    max_decoded: int | None = None

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name in ("unreadable", "no_transform", "ranges"):
            allowed = get_args(hints[name])
            if getattr(self, name) not in allowed:
                choices = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
                raise ValueError(f"{name} must be {choices}, got {getattr(self, name)!r}")
        if type(self.max_ratio) is not int or self.max_ratio < 1:
            raise ValueError(f"max_ratio must be a positive integer, got {self.max_ratio!r}")
        if self.max_decoded is not None and (type(self.max_decoded) is not int or self.max_decoded < 1):
            raise ValueError(f"max_decoded must be a positive integer or None, got {self.max_decoded!r}")

    def __repr__(self) -> str:
        said = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Handling({', '.join(said)})"


@lru_cache(maxsize=256)
def stricter(one: Handling, other: Handling) -> Handling:
    """``one``, with limits that are the lower ones of both."""
    most = [each.max_decoded for each in (one, other) if each.max_decoded is not None]
    return replace(one, max_ratio=min(one.max_ratio, other.max_ratio), max_decoded=min(most, default=None))


SHADOW = Handling(unreadable="pass", ranges="keep", max_ratio=1 << 31)
"""Of a filter that only watches and refuses nothing: what it cannot read goes on, and all is asked for as it was.
A coding that is broken is found in the middle, and cuts the connection all the same."""
