"""Undoing the coding of a request's body."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.codings import readable
from revproxy.filters.inspect.coding import CannotDecode, decoded

from ...codings.test_codings import coded


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _raw(data: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


@given(st.binary(max_size=2000))
def test_codings(data: bytes) -> None:
    """All that can be undone, deflate with and without its wrapper, several members of gzip, and none at all."""
    for each in readable():
        assert decoded(coded(each, data), each, 2000) == data
    assert decoded(data, "", 2000) == data
    assert decoded(data, "Identity", 2000) == data
    assert decoded(_gzip(data), "gzip", 2000) == data
    assert decoded(_gzip(data) + _gzip(b"x"), "x-gzip", 2001) == data + b"x"
    assert decoded(zlib.compress(data), "deflate", 2000) == data
    assert decoded(_raw(data), " deflate ", 2000) == data


@pytest.mark.parametrize(
    ("data", "codings"),
    [
        (b"x", "br"),
        (b"x", "zstd"),
        (b"x", "compress"),
        (b"x", "gzip, gzip"),
        (b"x", "gzip"),
        (_gzip(b"x")[:-1], "gzip"),
        (_gzip(b"x") + b"y", "gzip"),
        (zlib.compress(b"x") + b"y", "deflate"),
        (_gzip(bytes(1001)), "gzip"),
        (zlib.compress(bytes(10_000_000)), "deflate"),
        (_gzip(bytes(600)) * 2, "gzip"),
    ],
)
def test_bad(data: bytes, codings: str) -> None:
    """S-51: what is not known, broken, or a bomb is not decoded, and the latter not in part."""
    with pytest.raises(CannotDecode):
        decoded(data, codings, 1000)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_many_members(coding: str) -> None:
    """S-51: each takes time, whatever it says: a thousand of them are undone, not all that fit."""
    few = coded(coding, b"x") * 900
    assert decoded(few, coding, 1000) == b"x" * 900
    for member in (coded(coding, b""), coded(coding, b"x")):
        with pytest.raises(CannotDecode, match="members"):
            decoded(member * 20_000, coding, 1 << 20)


@given(st.binary(max_size=200), st.sampled_from(readable()))
def test_any_bytes(data: bytes, coding: str) -> None:
    """No bytes do anything else."""
    try:
        assert len(decoded(data, coding, 100)) <= 100
    except CannotDecode:
        pass
