"""Text in charsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import ResponseRefused
from revproxy.filters.transform.charsets import _CODECS, InCharset, codec_of


class Same:
    def feed(self, piece: str) -> str:
        return piece

    def finish(self) -> str:
        return ""


class Arrows(Same):
    def feed(self, piece: str) -> str:
        return piece.replace("a", "→")


CERTAIN = sorted(set(_CODECS.values()) - {"cp932", "euc-jp", "gb18030", "big5hkscs", "cp949"})


@pytest.mark.parametrize("codec", CERTAIN)
@given(st.binary(max_size=30), st.integers(1, 7))
def test_nothing_is_lost(codec: str, data: bytes, size: int) -> None:
    """Bytes that are no character, and all others, come out as they were, in any pieces."""
    subject = InCharset(codec, Same())
    out = b"".join(subject.feed(data[place : place + size]) for place in range(0, len(data), size))
    assert out + subject.finish() == data


@pytest.mark.parametrize("codec", ["cp932", "euc-jp", "gb18030", "big5hkscs", "cp949"])
@given(st.binary(max_size=30), st.integers(1, 7))
def test_nothing_is_changed(codec: str, data: bytes, size: int) -> None:
    """Where a character may be spelled in several ways, it comes out as it was, or the response is refused."""
    subject = InCharset(codec, Same())
    try:
        out = b"".join(subject.feed(data[place : place + size]) for place in range(0, len(data), size))
        assert out + subject.finish() == data
    except ResponseRefused:
        pass


@pytest.mark.parametrize("codec", ["cp932", "euc-jp", "gb18030", "big5hkscs", "cp949"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_end_of_a_character_is_missing(codec: str, size: int) -> None:
    """What breaks off within a character is not refused for it, and not lost, wherever it is cut."""
    for whole in ("a中", "a\\表\u4e02", "한中"):
        try:
            data = whole.encode(codec)
        except UnicodeEncodeError:
            continue
        for end in range(len(data)):
            subject = InCharset(codec, Same())
            out = b"".join(subject.feed(data[place : min(place + size, end)]) for place in range(0, end, size))
            assert out + subject.finish() == data[:end]
    subject = InCharset("gb18030", Same())
    assert subject.feed(b"b\x949\xfc") + subject.finish() == b"b\x949\xfc"


class OneByOne(Same):
    """Lets go of a character at a time."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        self._held = text[1:]
        return text[:1]

    def finish(self) -> str:
        return self._held


def test_two_that_are_spelled_as_one() -> None:
    """Big5 has letters with accents that are two characters: they stay together."""
    data = "aÊ̄b".encode("big5hkscs")
    assert data == b"a\x88bb"
    subject = InCharset("big5hkscs", OneByOne())
    assert b"".join(subject.feed(data[place : place + 1]) for place in range(len(data))) + subject.finish() == data


def test_ascii() -> None:
    """All have ASCII among their characters, by which what is looked for is known."""
    ascii_ = bytes(range(0x80))
    for codec in set(_CODECS.values()):
        assert ascii_.decode(codec) == ascii_.decode("ascii")


def test_a_character_that_is_not_there() -> None:
    """What the charset does not have cannot be put in."""
    with pytest.raises(ResponseRefused, match="a character that cp1252 has not"):
        InCharset("cp1252", Arrows()).feed(b"a")
    assert InCharset("utf-8", Arrows()).feed(b"a") == "→".encode()
    assert repr(InCharset("utf-8", Same())).startswith("<InCharset utf-8: ")


def test_names() -> None:
    """Names are those of charsets, never those of other codecs that Python has."""
    assert codec_of("UTF-8") == "utf-8"
    assert codec_of("ISO-8859-1") == "cp1252"
    for name in ("rot13", "hex", "zlib", "utf-16", "utf-7", "idna", "unicode_escape", ""):
        assert codec_of(name) is None
