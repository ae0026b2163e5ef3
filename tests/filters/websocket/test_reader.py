"""What one side of a WebSocket sends, as it is read: without a socket."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.websocket.deflate import Deflate
from revproxy.filters.websocket.reader import Broken, Close, Event, Ping, Pong, Reader

from .wire import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, binary, close, deflated, frame, text

MIB = 1 << 20


def read(
    segments: Iterable[bytes], *, limit: int = MIB, from_client: bool = True, inflate: bool = False
) -> list[object]:
    """All events; the last one is what it broke with, if it did."""
    reader = Reader(from_client=from_client, limit=limit, deflate=Deflate(limit) if inflate else None)
    events: list[object] = []
    try:
        for segment in segments:
            reader.feed(segment)
            while (event := reader.next()) is not None:
                events.append(event)
    except Broken as broken:
        events.append(broken)
    return events


def broken(*segments: bytes, limit: int = MIB, from_client: bool = True, inflate: bool = False) -> Broken:
    found = read(segments, limit=limit, from_client=from_client, inflate=inflate)[-1]
    assert isinstance(found, Broken), found
    return found


# A session of anything that is allowed.

messages = st.one_of(st.text(max_size=300), st.binary(max_size=300))
controls = st.one_of(st.builds(Ping, st.binary(max_size=125)), st.builds(Pong, st.binary(max_size=125)))


@st.composite
def sessions(draw: st.DrawFn) -> tuple[bytes, list[Event], bool, bool]:
    """The bytes of a session, what they say, who sends them, and whether compression was agreed upon: messages whole
    and in fragments, cut anywhere, control frames between these."""
    masked, inflate = draw(st.booleans()), draw(st.booleans())
    out, events = bytearray(), list[Event]()

    def control() -> None:
        event = draw(controls)
        events.append(event)
        out.extend(frame(FIN | (PING if isinstance(event, Ping) else PONG), event.payload, masked=masked))

    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            control()
        message = draw(messages)
        data = message.encode() if isinstance(message, str) else message
        opcode = TEXT if isinstance(message, str) else BINARY
        if inflate and draw(st.booleans()):
            data = deflated(data)
            opcode |= RSV1
        cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            first = (opcode if number == 0 else CONTINUATION) | (FIN if last else 0)
            out.extend(frame(first, piece, masked=masked, key=draw(st.binary(min_size=4, max_size=4))))
            if not last and draw(st.booleans()):
                control()
        events.append(message)
    if draw(st.booleans()):
        reason = draw(st.text(max_size=30))
        out.extend(close(3000, reason.encode(), masked=masked))
        events.append(Close(3000, reason))
    return bytes(out), events, masked, inflate


@given(sessions(), st.data())
def test_any_segments(session: tuple[bytes, list[Event], bool, bool], data: st.DataObject) -> None:
    """F-100: in whatever segments the bytes of a session come, the messages and control frames are the same, in the
    same order, text is text and binary is binary."""
    raw, events, masked, inflate = session
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=20)))
    segments = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read(segments, from_client=masked, inflate=inflate) == events


@given(sessions())
def test_every_byte_by_itself(session: tuple[bytes, list[Event], bool, bool]) -> None:
    """F-100: the same byte by byte."""
    raw, events, masked, inflate = session
    assert read((raw[at : at + 1] for at in range(len(raw))), from_client=masked, inflate=inflate) == events


def test_line_ends_stay() -> None:
    """F-100: a text that comes in pieces keeps its line ends, and characters that are cut in two."""
    said = "a\r\nb\rc\nd\x85\u2028\N{SNOWMAN}\U0001f680\0"
    raw = text(said)
    assert read(raw[at : at + 1] for at in range(len(raw))) == [said]


# Limits.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 1000])
def test_the_limit(size: int) -> None:
    """F-100, S-55: a message of exactly the limit passes; one byte more does not, whole, in fragments, or declared."""
    if size:
        assert read([binary(bytes(size))], limit=size) == [bytes(size)]
        assert read([frame(BINARY, bytes(size)), frame(FIN)], limit=size) == [bytes(size)]
    limit = max(size, 1)
    assert broken(binary(bytes(limit + 1)), limit=limit).code == 1009
    assert broken(frame(BINARY, bytes(limit)), frame(FIN, b"x"), limit=limit).code == 1009
    assert broken(text("\xe9" * limit), limit=limit).code == 1009  # bytes count, not characters


@pytest.mark.parametrize("inflate", [False, True])
def test_a_giant_that_is_only_declared(inflate: bool) -> None:
    """S-55: what a frame says that it will bring is refused at once, not when it comes."""
    declared = struct.pack("!BBQ", FIN | BINARY, 255, 1 << 62) + b"\0\0\0\0"
    assert broken(declared, inflate=inflate).code == 1009
    assert broken(frame(BINARY, bytes(600)), struct.pack("!BBH", FIN, 254, 500) + b"\0\0\0\0", limit=1000).code == 1009


@pytest.mark.parametrize("payload", [b"", b"x"], ids=["empty", "one byte"])
def test_a_flood_of_fragments(payload: bytes) -> None:
    """S-55: a message without an end, of fragments with nothing or next to nothing in them, is refused by their number,
    and takes no memory before."""
    endless = frame(CONTINUATION, payload)
    reader = Reader(from_client=True, limit=MIB)
    reader.feed(frame(TEXT, payload))
    tracemalloc.start()
    try:
        for _ in range(1024):
            assert reader.next() is None
            reader.feed(endless)
        reader.feed(endless * 20)
        with pytest.raises(Broken) as found:
            reader.next()
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()
    assert found.value.code == 1008
    assert reader.held < 1000


def test_many_fragments_that_have_something_in_them() -> None:
    """F-100: a large message in many fragments passes."""
    pieces = [frame(BINARY), *[frame(CONTINUATION, bytes(64))] * 8192, frame(FIN)]
    assert read(pieces) == [bytes(8192 * 64)]


def test_what_a_message_in_single_bytes_takes() -> None:
    """S-55: a message that comes in segments of one byte takes what its bytes take, not an object for each."""
    raw = frame(FIN | TEXT, "\N{SNOWMAN}".encode() * 50_000)
    reader = Reader(from_client=True, limit=MIB)
    tracemalloc.start()
    try:
        for at in range(len(raw) - 1):
            reader.feed(raw[at : at + 1])
            assert reader.next() is None
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert reader.held >= 149_990


@pytest.mark.parametrize("end", [b"", b"x"], ids=["as it is", "and more"])
def test_a_bomb(end: bytes) -> None:
    """S-51, S-55: a compressed message is decompressed up to the limit and one byte, never further: 100 MiB of zeros in
    100 KB take no more than the limit."""
    bomb = deflated(bytes(100 * MIB)) + end
    reader = Reader(from_client=True, limit=MIB, deflate=Deflate(MIB))
    tracemalloc.start()
    try:
        reader.feed(frame(FIN | BINARY | RSV1, bomb))
        with pytest.raises(Broken) as found:
            reader.next()
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()
    assert found.value.code == 1009


def test_blocks_that_say_nothing() -> None:
    """S-55: a compressed message that goes on and on and says nothing is refused by its length on the wire."""
    nothing = b"\0\0\0\xff\xff" * 1000
    pieces = [frame(BINARY | RSV1, nothing), *[frame(CONTINUATION, nothing)] * 300]
    assert broken(*pieces, limit=MIB, inflate=True).code == 1009


# What is no message.


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (text("hi", masked=False), 1002),
        (frame(FIN | 0x3), 1002),
        (frame(FIN | 0xB), 1002),
        (frame(FIN | RSV1 | TEXT, b"x"), 1002),
        (frame(FIN | 0x20 | TEXT, b"x"), 1002),
        (frame(FIN | 0x10 | TEXT, b"x"), 1002),
        (frame(FIN | RSV1 | PING), 1002),
        (frame(PING), 1002),
        (frame(FIN | PING, bytes(126)), 1002),
        (frame(FIN | CONTINUATION, b"x"), 1002),
        (frame(TEXT, b"x") + frame(FIN | TEXT, b"x"), 1002),
        (struct.pack("!BBH", FIN | TEXT, 254, 5) + bytes(9), 1002),
        (struct.pack("!BBQ", FIN | TEXT, 255, 5) + bytes(9), 1002),
        (struct.pack("!BBQ", FIN | TEXT, 255, 1 << 63) + bytes(4), 1002),
        (frame(FIN | TEXT, b"\xff"), 1007),
        (frame(FIN | TEXT, b"\xed\xa0\x80"), 1007),
        (frame(FIN | TEXT, b"\xc3"), 1007),
        (frame(TEXT, b"\xc3") + frame(FIN, b"x"), 1007),
        (frame(FIN | CLOSE, b"\x03"), 1002),
        (close(1000, b"\xff"), 1007),
        (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 1002),
    ],
    ids=lambda value: value.hex()[:24] if isinstance(value, bytes) else str(value),
)
def test_what_is_refused(sent: bytes, code: int) -> None:
    """S-55, RFC 6455 sections 5 and 8.1: what is no frame, and text that is not UTF-8; what stands before it comes, and
    the text that the operator gets does not quote it."""
    found = read([text("before") + sent])
    assert found[0] == "before"
    assert isinstance(found[-1], Broken)
    assert found[-1].code == code
    assert "0xff" not in str(found[-1])


@pytest.mark.parametrize("from_client", [True, False])
def test_masks(from_client: bool) -> None:
    """RFC 6455 section 5.1: a client's frames are masked, a server's are not."""
    assert read([text("hi", masked=from_client)], from_client=from_client) == ["hi"]
    assert broken(text("hi", masked=not from_client), from_client=from_client).code == 1002


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535])
def test_codes_that_must_not_be_sent(code: int) -> None:
    """F-93: a Close whose code has no meaning, or stands for what was not said, is an error of the protocol."""
    found = broken(close(code, b"x"))
    assert (found.code, found.said_code) == (1002, True)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_codes_that_may(code: int) -> None:
    """F-93: all others are read, with their reason; behind a Close nothing is."""
    assert read([close(code, "b\xfcy".encode()) + text("late"), text("later")]) == [Close(code, "b\xfcy")]
    assert read([close()]) == [Close(None, "")]


@pytest.mark.parametrize(
    "sent",
    [
        frame(FIN | BINARY | RSV1, b"\xff\xff\xff"),
        frame(FIN | BINARY | RSV1, deflated(b"a" * 100) + b"\xff\xff\xff"),
        frame(FIN | BINARY | RSV1, deflated(b"a") + b"\x03\x00" + b"behind the last block"),
        frame(BINARY, b"a") + frame(FIN | RSV1, b"a"),
    ],
    ids=["garbage", "garbage behind", "a second stream", "compressed from the second fragment on"],
)
def test_what_cannot_be_decompressed(sent: bytes) -> None:
    """S-51: it ends the WebSocket, and so does what hides behind the end of the compressed data."""
    assert broken(sent, inflate=True).code in (1002, 1007)


def test_a_last_block() -> None:
    """RFC 7692 section 7.2.3.4: a message may end with a block that says that it is the last."""
    assert read([frame(FIN | TEXT | RSV1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")], inflate=True) == ["Hello"]


# Afterwards.


def test_skipping() -> None:
    """F-93: of a side that was sent a Close nothing more is given but its own; no size and no text matters any more."""
    reader = Reader(from_client=True, limit=10)
    reader.feed(frame(BINARY, bytes(5)))
    assert reader.next() is None
    reader.skip()
    reader.feed(frame(FIN, bytes(100)) + frame(FIN | TEXT, b"\xff") + frame(FIN | PING) + close(1000))
    assert (reader.next(), reader.closed, reader.held) == (Close(1000, ""), True, 0)


def test_skipping_behind_what_was_too_large() -> None:
    """F-93: the place is not lost by a message that is too large: the Close behind it is seen."""
    reader = Reader(from_client=True, limit=10)
    reader.feed(frame(FIN | BINARY, bytes(100))[:50])
    with pytest.raises(Broken):
        reader.next()
    reader.feed(frame(FIN | BINARY, bytes(100))[50:] + close(1000))
    assert reader.next() == Close(1000, "")
    assert not reader.is_lost


def test_amid() -> None:
    """F-101: it is known whether an end comes in the middle of something."""
    for sent, amid in ((b"", False), (text("a"), False), (text("a")[:1], True), (text("a")[:-1], True)):
        reader = Reader(from_client=True, limit=10)
        reader.feed(sent)
        reader.next()
        assert reader.amid is amid
    reader = Reader(from_client=True, limit=10)
    reader.feed(text("a") + frame(TEXT, b"a"))
    assert (reader.next(), reader.next(), reader.amid) == ("a", None, True)
    reader.feed(close())
    assert (reader.next(), reader.amid) == (Close(None, ""), False)
    assert repr(reader) == "<Reader closed, 0 bytes held>"
