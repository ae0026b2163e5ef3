"""Transforms one behind the other."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import InternalError, ResponseRefused
from revproxy.filters.content.stages import Stages, Text


class Late:
    """Keeps the last ``count`` bytes until the end, and marks that."""

    def __init__(self, count: int, mark: bytes = b"") -> None:
        self.count, self.mark, self.kept = count, mark, b""

    def feed(self, chunk: bytes) -> bytes:
        self.kept += chunk
        at = max(len(self.kept) - self.count, 0)
        gone, self.kept = self.kept[:at], self.kept[at:]
        return gone

    def finish(self) -> bytes:
        return self.kept + self.mark


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b""


@given(st.lists(st.binary(max_size=6), max_size=9))
def test_stages(chunks: list[bytes]) -> None:
    """What one gives out is what the next is fed, the end included."""
    stages = Stages([Late(3, b"end"), Upper(), Late(5)])
    out = b"".join(stages.feed(chunk) for chunk in chunks)
    assert out + stages.finish() == b"".join(chunks).upper() + b"END"


@given(st.binary(max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_text(data: bytes, cuts: list[int]) -> None:
    """However it is cut, what looks like UTF-16 or UTF-32 is refused, or passed by, and nothing else."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    odd = data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]
    passing = Text(Upper(), passes=True)
    out = b"".join(map(passing.feed, chunks)) + passing.finish()
    assert out == (data if odd else data.upper())
    refusing = Text(Upper(), passes=False)
    if odd:
        with pytest.raises(ResponseRefused):
            [*map(refusing.feed, chunks), refusing.finish()]
    else:
        assert b"".join(map(refusing.feed, chunks)) + refusing.finish() == data.upper()


def test_nothing_is_not_none() -> None:
    """A transform that has forgotten to return something, or returns characters, is an error that says so in words,
    and not an empty content."""

    class Forgetful(Upper):
        def feed(self, chunk: bytes) -> bytes:
            return None  # type: ignore[return-value]

    for stages in (Stages([Forgetful(), Upper()]), Stages([Forgetful()]), Stages([Text(Forgetful(), passes=False)])):
        with pytest.raises(InternalError, match=r"Forgetful\.feed must return bytes, and has returned nothing"):
            stages.feed(b"abcd")

    class Wordy(Upper):
        def feed(self, chunk: bytes) -> bytes:
            return chunk.decode()  # type: ignore[return-value]

    class Last(Upper):
        def finish(self) -> bytes:
            return ""  # type: ignore[return-value]

    for chunk in (b"abcd", b"ab"):  # what is shorter than a mark is fed at the end
        for wrong, method in ((Wordy, "feed"), (Last, "finish")):
            stages = Stages([Text(wrong(), passes=False), Upper()])
            with pytest.raises(InternalError, match=rf"{wrong.__name__}\.{method} must return bytes, .* returned str"):
                stages.feed(chunk) + stages.finish()


def test_what_is_shorter() -> None:
    """Two bytes are a mark, one is none."""
    text = Text(Upper(), passes=False)
    assert text.feed(b"a") == b""
    assert text.finish() == b"A"
    text = Text(Upper(), passes=False)
    text.feed(b"\xff\xfe")
    with pytest.raises(ResponseRefused):
        text.finish()
