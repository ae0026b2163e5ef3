"""Endpoints in a file that others write."""

from __future__ import annotations

import asyncio
import math
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from ..clock import SYSTEM_CLOCK, Clock
from .base import Backoff, Discovery, DiscoveryFailed, Found
from .document import Format, read_endpoints

__all__ = ["File"]


class File(Discovery):
    """The endpoints that a file lists, in JSON or TOML, read again when it says something else.

    It has one entry, ``endpoints``: a list of URLs, or of tables with a ``url`` and what else an ``Endpoint`` takes:
    ``address``, ``name``, ``weight``, ``priority``, ``zone``, ``region``, ``location``, ``labels``, ``limit``::

        {"endpoints": [{"url": "http://10.0.0.1:8080", "weight": 3, "zone": "a"}, "http://10.0.0.2:8080"]}

    ``format``
        ``"json"`` or ``"toml"``; by default what the name ends with.
    ``interval``
        Seconds from one look to the next. What counts is what is in it, so every way to replace a file is seen: a new
        one renamed to its name, a symbolic link that leads elsewhere (as in a ConfigMap of Kubernetes), one that is
        written in place. The last may be read while it is half there: rename.
    ``size``
        Bytes that it may have.

    A file that cannot be read, or says what makes no sense, is a failure like every other: it is told of once, and the
    last good set stays in use. It is read in a thread, and must be a file: what would never end is refused.

    Raises ``ValueError`` that names the parameter and its value. That it is not there is no error before it starts.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: Format | None = None,
        interval: float = 2.0,
        size: int = 1_048_576,
        name: str = "",
        initial: float | None = 10.0,
        allow_empty: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._path = Path(path)
        said = self._path.suffix.removeprefix(".").lower() if format is None else format
        if said != "json" and said != "toml":
            raise ValueError(f"format must be 'json' or 'toml', got {said!r} for {str(path)!r}")
        if not 0 < interval < math.inf:
            raise ValueError(f"interval must be above 0 and finite, got {interval}")
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        self._format: Format = "json" if said == "json" else "toml"
        self._interval = interval
        self._size = size
        self._clock = clock
        self.backoff: Backoff = Backoff(first=interval, most=interval)
        super().__init__(name=name or self._path.stem, initial=initial, allow_empty=allow_empty)

    async def snapshots(self) -> AsyncIterator[Found]:
        before: bytes | None = None
        while True:
            content = await asyncio.to_thread(_read, self._path, self._size)
            if content != before:
                before = content
                yield await asyncio.to_thread(read_endpoints, content, self._format)
            await self._clock.sleep(self._interval)

    def __repr__(self) -> str:
        return f"File({str(self._path)!r})"


def _read(path: Path, size: int) -> bytes:
    """What is in the file at ``path``. Raises ``DiscoveryFailed`` for what is no file or has more than ``size`` bytes,
    and ``OSError``."""
    # Not to wait for somebody who writes into a pipe: that could be for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise DiscoveryFailed(f"{path} is no file")
        parts, left = [], size + 1
        while left and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    if not left:
        raise DiscoveryFailed(f"{path} has more than {size} bytes")
    return b"".join(parts)
