"""What redaction does to a content, piece by piece."""

from __future__ import annotations

import logging

from ...errors import InternalError, ResponseRefused
from .detector import Detector
from .engine import Engine
from .formats import Format
from .parts import reader
from .stream import Noted
from .tally import Tally

__all__ = ["Redaction", "Refusal", "Shadow"]

_log = logging.getLogger("revproxy.error")

_AT_ONCE = 65536


class Redaction:
    """Puts masks in the place of secrets.

    ``tally``
        Is told where a part has ended that a client reads by itself.
    """

    __slots__ = ("_is_in_parts", "_reader", "_tally")

    def __init__(self, engine: Engine, format: Format, noted: Noted, tally: Tally) -> None:
        self._reader = reader(engine, format, noted)
        self._is_in_parts = format.ends is not None
        self._tally = tally

    def feed(self, chunk: bytes) -> bytes:
        if len(chunk) <= _AT_ONCE:
            edited = self._reader.feed(chunk, last=False)
        else:  # what is at work at once has a bound
            edited = b"".join(
                self._reader.feed(chunk[place : place + _AT_ONCE], last=False)
                for place in range(0, len(chunk), _AT_ONCE)
            )
        if self._is_in_parts:
            self._tally.told()
        return edited

    def finish(self) -> bytes:
        edited = self._reader.feed(b"", last=True)
        self._tally.told()
        return edited

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._reader!r}>"


class Refusal(Redaction):
    """Refuses what has a secret in it, before anything of that is let go."""

    __slots__ = ()

    def __init__(self, engine: Engine, format: Format, noted: Noted, tally: Tally) -> None:
        def refused(detector: Detector) -> None:
            noted(detector)
            tally.told()
            raise ResponseRefused(f"a secret in its content ({detector.name})")

        super().__init__(engine, format, refused, tally)


class Shadow(Redaction):
    """Only looks: what goes in comes out."""

    __slots__ = ("_has_failed",)

    def __init__(self, engine: Engine, format: Format, noted: Noted, tally: Tally) -> None:
        super().__init__(engine, format, noted, tally)
        self._has_failed = False

    def feed(self, chunk: bytes) -> bytes:
        if not self._has_failed:
            try:
                super().feed(chunk)
            except InternalError as error:
                self._give_up(error)
        return chunk

    def finish(self) -> bytes:
        if not self._has_failed:
            try:
                super().finish()
            except InternalError as error:
                self._give_up(error)
        return b""

    def _give_up(self, error: InternalError) -> None:
        self._has_failed = True
        _log.error("%s; the response goes on, not looked into any further", error)
