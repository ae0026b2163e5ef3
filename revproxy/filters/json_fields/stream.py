"""What becomes of one response whose fields are filtered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...body import Transform
from ...json_stream import JsonError

__all__ = ["Guarded", "NoContent", "Watched"]

Refuse: TypeAlias = Callable[[str], object]
"""Is told what is wrong with a response, and raises."""


class Guarded:
    """``transform``, of which ``refuse`` is told what is no JSON. ``seen`` is called after each chunk, and at the
    end."""

    __slots__ = ("_refuse", "_seen", "_transform")

    def __init__(self, transform: Transform, refuse: Refuse, seen: Callable[[], object]) -> None:
        self._transform = transform
        self._refuse = refuse
        self._seen = seen

    def feed(self, chunk: bytes) -> bytes:
        try:
            edited = self._transform.feed(chunk)
        except JsonError as error:
            self._refuse(f"JSON: {error}")
            raise
        self._seen()
        return edited

    def finish(self) -> bytes:
        try:
            rest = self._transform.finish()
        except JsonError as error:
            self._refuse(f"JSON: {error}")
            raise
        self._seen()
        return rest


class Watched:
    """Lets everything pass, and has ``transform`` look at it as long as it can. ``ended`` is called at the end, and
    with ``each`` also after each chunk."""

    __slots__ = ("_broken", "_each", "_ended", "_tell", "_transform")

    def __init__(self, transform: Transform, tell: Refuse, ended: Callable[[], object], *, each: bool) -> None:
        self._transform = transform
        self._tell = tell
        self._ended = ended
        self._each = each
        self._broken = False

    def feed(self, chunk: bytes) -> bytes:
        if not self._broken:
            try:
                self._transform.feed(chunk)
            except JsonError as error:
                self._broken = True
                self._tell(f"JSON: {error}")
            if self._each:
                self._ended()
        return chunk

    def finish(self) -> bytes:
        if not self._broken:
            try:
                self._transform.finish()
            except JsonError as error:
                self._tell(f"JSON: {error}")
        self._ended()
        return b""


class NoContent:
    """Lets nothing pass: ``refuse`` is called at the first byte."""

    __slots__ = ("_refuse",)

    def __init__(self, refuse: Callable[[], object]) -> None:
        self._refuse = refuse

    def feed(self, chunk: bytes) -> bytes:
        if chunk:
            self._refuse()
        return chunk

    def finish(self) -> bytes:
        return b""
