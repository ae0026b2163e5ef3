"""Transforms that let others have their turn."""

from __future__ import annotations

from revproxy.filters.content.pace import Pace
from revproxy.filters.content.stages import Stages


class Slow:
    """Takes ``cost`` seconds for a byte, by a clock of its own."""

    def __init__(self, cost: float) -> None:
        self.cost = cost
        self.time = 0.0
        self.sizes: list[int] = []

    def now(self) -> float:
        return self.time

    def feed(self, chunk: bytes) -> bytes:
        self.sizes.append(len(chunk))
        self.time += self.cost * len(chunk)
        return chunk

    def finish(self) -> bytes:
        return b""


def paced(slow: Slow, size: int) -> list[bytes | None]:
    pace = Pace(Stages([slow]), slow.now)
    return [part for start in range(0, size, 65536) for part in pace.feed(bytes(min(65536, size - start)))]


def test_what_is_slow_is_fed_less() -> None:
    """S-53: where a byte takes 4 microseconds, others have their turn after 20 ms at most, and nothing is lost."""
    slow = Slow(4e-6)
    parts = paced(slow, 1 << 20)
    assert sum(len(part) for part in parts if part is not None) == sum(slow.sizes) == 1 << 20
    since = longest = 0
    for part in parts:
        since = 0 if part is None else since + len(part)
        longest = max(longest, since)
    assert longest * slow.cost < 0.02


def test_what_is_fast_is_fed_whole() -> None:
    """Where it takes no time, 64 KiB are fed at once after the first ones, and nobody waits."""
    fast = Slow(1e-9)
    parts = paced(fast, 1 << 20)
    assert None not in parts
    assert fast.sizes[:6] == [4096, 8192, 16384, 32768, 4096, 65536]
    assert set(fast.sizes[6:]) == {65536}


def test_nothing_is_fed_of_nothing() -> None:
    """An empty piece is none."""
    assert paced(Slow(0.0), 0) == []
    assert list(Pace(Stages([Slow(0.0)])).feed(b"")) == []
