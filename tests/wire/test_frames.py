"""Where frames begin and end, whatever pieces they arrive in."""

from __future__ import annotations

import re
import struct
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.wire.frames import FrameError, Frames, close_frame

KEY = b"\x01\x02\x03\x04"


def frame(first: int, payload: bytes = b"", *, masked: bool = False, declared: int | None = None) -> bytes:
    size = len(payload) if declared is None else declared
    mask = 0x80 if masked else 0
    if size < 126:
        length = struct.pack("!B", size | mask)
    elif size < 1 << 16:
        length = struct.pack("!BH", 126 | mask, size)
    else:
        length = struct.pack("!BQ", 127 | mask, size)
    return bytes([first]) + length + (KEY if masked else b"") + payload


firsts = st.sampled_from([0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0xC1, 0xF2, 0x41])
data_frames = st.tuples(firsts, st.sampled_from([0, 1, 2, 6, 64, 125, 126, 127, 300, 65535, 65536, 70_000]))
control_frames = st.tuples(st.sampled_from([0x88, 0x89, 0x8A]), st.integers(0, 125))


@given(
    st.booleans(),
    st.lists(st.one_of(data_frames, control_frames), max_size=5),
    st.lists(st.integers(0, 1 << 17), max_size=8),
    st.integers(0, 20),
)
@example(True, [(0x81, 300)], [1, 2, 3, 4, 5, 6, 7, 8, 9], 0)
def test_any_frames_in_any_pieces(masked: bool, kinds: list[tuple[int, int]], cuts: list[int], short: int) -> None:
    """All that arrives goes on, in order, but for a header that is not complete; and after every piece it is known
    whether a frame may stand there, by a reader that sees the whole."""
    whole, boundaries, headers, closes = b"", {0}, set[int](), len(kinds) * 70_100
    for first, size in kinds:
        raw = frame(first, b"x" * size, masked=masked)
        head = len(raw) - size - (4 if masked else 0)  # all that says how long it is
        headers.update(range(len(whole) + 1, len(whole) + head))
        if first == 0x88:
            closes = min(closes, len(whole) + head)
        whole += raw
        boundaries.add(len(whole))
    sent = whole[: len(whole) - short]
    edges = sorted({0, *(cut % (len(sent) + 1) for cut in cuts), len(sent)})
    frames, gone = Frames(masked=masked), b""
    for start, end in pairwise(edges):
        gone += frames.feed(sent[start:end])
        assert sent.startswith(gone)
        if end in headers:
            assert max(each for each in boundaries if each < end) == len(gone)
        else:
            assert len(gone) == end
        assert (frames.left == 0) == (len(gone) in boundaries)
        assert frames.closed == (end >= closes)
    assert gone + frames.rest() == sent


@pytest.mark.parametrize("before", [b"", frame(0x81, b"hello"), frame(0x82, b"x" * 300)])
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"\x83\x00", "opcode 0x3"),
        (b"\x8f", "opcode 0xf"),
        (frame(0x81, b"x", masked=True), "a masked frame"),
        (b"\x89\x7e\x00\x80", "a control frame"),
        (frame(0x09, b"x"), "a control frame"),
        (b"\x82\x7f\x80" + b"\x00" * 7, "2\\^63"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "opcode|control"),
    ],
)
def test_what_is_no_frame(before: bytes, bad: bytes, why: str) -> None:
    """F-100, S-55: reserved opcodes, a mask from a server, control frames that are long or go on, and lengths without
    end are refused as soon as they are seen; what stood before them is good."""
    stream = before + bad
    for pieces in ([stream], [before, bad] if before else [bad], [stream[at : at + 1] for at in range(len(stream))]):
        frames, gone, error = Frames(masked=False), b"", ""
        for piece in pieces:
            try:
                gone += frames.feed(piece)
            except FrameError as caught:
                gone, error = gone + caught.good, str(caught)
                break
        assert (gone, frames.left) == (before, 0)
        assert re.search(why, error)


def test_a_client_that_does_not_mask() -> None:
    """RFC 6455 section 5.1: a client's frame without a mask is refused."""
    with pytest.raises(FrameError, match="without a mask"):
        Frames(masked=True).feed(frame(0x81, b"hello"))


def test_close_frames() -> None:
    """A Close of either side is one, with the code in it, and ends what that side sends."""
    for masked in (False, True):
        raw = close_frame(1001, masked=masked)
        frames = Frames(masked=masked)
        assert (frames.feed(raw), frames.closed, frames.left) == (raw, True, 0)
        payload = raw[-2:]
        if masked:
            payload = bytes(byte ^ key for byte, key in zip(payload, raw[2:6], strict=False))
        assert int.from_bytes(payload) == 1001
