"""What functions are told, and what they may say."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy.filters import CloseWebSocket, Passage, Through
from revproxy.testing import exchange


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_codes_that_no_close_has(code: int) -> None:
    """F-93: they are refused before they could reach a wire."""
    with pytest.raises(ValueError, match=f"code must be .*, got {code}"):
        CloseWebSocket(code)


def test_reasons() -> None:
    """RFC 6455 section 5.5: 123 bytes are room for a reason, in UTF-8."""
    closing = CloseWebSocket(reason="\xe9" * 61)
    assert (closing.code, closing.reason, closing.args) == (1008, "\xe9" * 61, (1008, "\xe9" * 61))
    with pytest.raises(ValueError, match="reason must be at most 123 bytes, got 124"):
        CloseWebSocket(reason="\xe9" * 62)


def test_what_is_no_code_and_no_reason() -> None:
    """A number that is no integer would fail only when the Close is written."""
    nonsense: Any = 4000.0
    with pytest.raises(TypeError, match=r"code must be an integer, got 4000\.0"):
        CloseWebSocket(nonsense)
    nonsense = b"bytes"
    with pytest.raises(TypeError, match="reason must be a text, got b'bytes'"):
        CloseWebSocket(reason=nonsense)


def test_passage() -> None:
    """It prints itself."""
    assert repr(Passage(exchange(), "client")) == "<Passage from the client: 0 messages>"


class Cut:
    """Gives nothing before the end, and then all but one byte."""

    def __init__(self) -> None:
        self._all = b""

    def feed(self, chunk: bytes) -> bytes:
        self._all += chunk
        return b""

    def finish(self) -> bytes:
        return self._all[:-1]


def test_through() -> None:
    """A ``Transform`` gets each message by itself, and what it gives at the end counts; text that it breaks is an
    error, which fails closed."""
    passage = Passage(exchange(), "client")
    through = Through(Cut, binary=True)
    assert (through(passage, "abc"), through(passage, b"de")) == ("ab", b"d")
    assert Through(Cut)(passage, b"de") == b"de"
    assert Through(Cut, sender="upstream")(passage, "abc") == "abc"
    with pytest.raises(UnicodeDecodeError):
        through(passage, "\xe9")
    assert repr(through) == "Through(Cut, sender=None)"
    nonsense: Any = 5
    with pytest.raises(TypeError, match="make: 5 is no function"):
        Through(nonsense)
    with pytest.raises(ValueError, match="sender must be 'client', 'upstream' or None, got 5"):
        Through(Cut, sender=nonsense)
