"""Content codings, undone and put on as bytes come."""

from __future__ import annotations

import random
import sys
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.codings import CodingError, decoder, encoder, is_readable, readable
from revproxy.codings.base import PIECE

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd")


def coded(coding: str, data: bytes, step: int = 5000) -> bytes:
    putting_on = encoder(coding)
    assert putting_on is not None
    out = b""
    for number, start in enumerate(range(0, len(data), step)):
        out += putting_on.feed(data[start : start + step])
        if number % 3 == 0:
            out += putting_on.flush()
    return out + putting_on.finish()


def undone(coding: str, data: bytes, step: int) -> bytes:
    undoing = decoder(coding)
    assert undoing is not None
    out: list[bytes] = []
    for start in range(0, len(data), step):
        for piece in undoing.feed(data[start : start + step]):
            assert 0 < len(piece) <= PIECE
            out.append(piece)
    undoing.finish()
    return b"".join(out)


def test_which_there_are() -> None:
    """All of them where the extra is installed, as it is for the tests."""
    assert readable() == CODINGS
    assert is_readable("br")
    assert not is_readable("compress")
    assert decoder("dcb") is None
    assert encoder("identity") is None
    assert decoder("GZIP") is not None


@pytest.mark.parametrize("coding", CODINGS)
@given(data=st.binary(max_size=2000), step=st.integers(1, 50), put_on=st.integers(1, 700))
def test_any_split(coding: str, data: bytes, step: int, put_on: int) -> None:
    """F-110, S-65: however it is cut, on either side, what comes out is what went in."""
    assert undone(coding, coded(coding, data, put_on), step) == data


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 40 * PIECE + 3])
@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 30])
def test_more_than_a_piece(coding: str, size: int, step: int) -> None:
    """What is much larger than what it came in is given out in pieces, none is left inside."""
    data = random.Random(size).randbytes(2000) + bytes(size)
    assert undone(coding, coded(coding, data, 1 << 30), step) == data


@pytest.mark.parametrize("coding", CODINGS)
def test_flushed(coding: str) -> None:
    """Behind a flush, all that was fed is there for whoever undoes it (F-71)."""
    putting_on, undoing = encoder(coding), decoder(coding)
    assert putting_on is not None
    assert undoing is not None
    for text in (b"data: one\n\n", b"data: two\n\n", b"x"):
        assert b"".join(undoing.feed(putting_on.feed(text) + putting_on.flush())) == text


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [0, 1, 3000])
def test_truncated(coding: str, size: int) -> None:
    """Whatever is missing at the end is noticed, and so is all of it (S-51)."""
    data = coded(coding, random.Random(size).randbytes(size))
    for kept in {0, 1, 2, len(data) // 2, len(data) - 2, len(data) - 1} & set(range(len(data))):
        with pytest.raises(CodingError, match="ends in the middle"):
            undone(coding, data[:kept], 100)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_something_behind_the_end(coding: str, step: int) -> None:
    """What stands behind the end would be read by some and not by others."""
    with pytest.raises(CodingError):
        undone(coding, coded(coding, b"abc") + b"<script>", step)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_in_a_row(coding: str) -> None:
    """Members of gzip (RFC 1952 section 2.2) and frames of zstd (RFC 8878 section 3.1) are one content."""
    data = coded(coding, b"one,") + coded(coding, b"") + coded(coding, b"two")
    for step in range(1, len(data) + 1):
        assert undone(coding, data, step) == b"one,two"


def test_deflate_without_its_wrapper() -> None:
    """Many have sent it so."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = raw.compress(b"abc" * 1000) + raw.flush()
    for step in (1, 2, 3, 1000):
        assert undone("deflate", data, step) == b"abc" * 1000


@pytest.mark.parametrize("coding", CODINGS)
@given(data=st.binary(min_size=3, max_size=300))
def test_what_is_none(coding: str, data: bytes) -> None:
    """Bytes that are not in the coding are that error, or by chance they are; nothing else is raised."""
    try:
        undone(coding, data, 7)
    except CodingError:
        pass


@pytest.mark.parametrize("coding", CODINGS)
def test_bomb(coding: str) -> None:
    """S-51: of a bomb one piece at a time is in memory, and whoever counts may stop in the middle."""
    bomb = coded(coding, bytes(50 << 20), 1 << 20)
    undoing = decoder(coding)
    assert undoing is not None
    tracemalloc.start()
    size = 0
    for piece in undoing.feed(bomb):
        size += len(piece)
        if size > 10 << 20:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 10 << 20
    assert peak < 4 << 20


def test_zstd_window() -> None:
    """A window beyond 8 MiB, which would be held in memory, is refused (RFC 9659 section 3)."""
    large = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    data = large.compress(random.Random(1).randbytes(1 << 24)) + large.flush()
    with pytest.raises(CodingError):
        undone("zstd", data, 1 << 16)
