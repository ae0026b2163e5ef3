"""The chunked transfer coding of a response body."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import Truncated
from revproxy.wire.chunks import ChunkedReader, chunked

BOUND = 1024
END = b"0\r\n\r\n"
HELLO = b"5\r\nhello\r\n" + END


def chunk(content: bytes, extension: bytes = b"", size: str = "x") -> bytes:
    return f"{len(content):{size}}".encode() + extension + b"\r\n" + content + b"\r\n"


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start != end]


def bytewise(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def feed(reader: ChunkedReader, pieces: list[bytes]) -> bytes:
    """What a connection does with the pieces that it reads: up to the end, and no further."""
    content = b""
    for piece in pieces:
        assert not reader.complete, "complete before the end"
        content += reader.feed(piece)
    return content


def outcome(pieces: list[bytes]) -> tuple[bytes, bool] | None:
    """The content and whether it is complete; ``None``: refused."""
    reader = ChunkedReader(BOUND)
    try:
        return feed(reader, pieces), reader.complete
    except Truncated:
        return None


extensions = st.sampled_from([b"", b";a", b";a=b", b';a="b c"', b";a=b;c;d=e", b';a="\\""', b";5"])
trailers = st.sampled_from([b"", b"X-A: 1\r\n", b"X-A: 1\r\nx-a:\r\n", b"Expires: x\r\nX-Sum: caf\xe9\r\n"])
sizes = st.sampled_from(["x", "X", "04x", "016X"])


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=40), extensions, sizes), max_size=6),
    trailers,
    st.lists(st.integers(0, 10_000), max_size=12),
)
def test_any_split(parts: list[tuple[bytes, bytes, str]], last: bytes, cuts: list[int]) -> None:
    """However a chunked body is cut into chunks and into reads, its content is the same, without extensions and
    trailers; it is complete at its last byte, and not before (F-64, F-65)."""
    wire = b"".join(chunk(*part) for part in parts) + b"0\r\n" + last + b"\r\n"
    content = b"".join(part[0] for part in parts)
    for pieces in (split(wire, cuts), bytewise(wire), [wire]):
        reader = ChunkedReader(BOUND)
        assert feed(reader, pieces) == content
        assert (reader.complete, reader.excess) == (True, False)
    shorter = ChunkedReader(BOUND)
    feed(shorter, split(wire[:-1], cuts))
    assert not shorter.complete


@given(st.binary(max_size=300))
def test_written(content: bytes) -> None:
    """What is written as a whole body is read as one."""
    reader = ChunkedReader(BOUND)
    assert feed(reader, bytewise(chunked(content))) == content
    assert (reader.complete, reader.excess) == (True, False)
    assert chunked(b"") == END


def test_content_that_looks_like_framing() -> None:
    """Content is never read as anything else."""
    for content in (END, b"\r\n" * 5, b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"\0\xff\x80" * 10, HELLO):
        for pieces in ([chunk(content) + END], bytewise(chunk(content) + END)):
            reader = ChunkedReader(BOUND)
            assert feed(reader, pieces) == content
            assert (reader.complete, reader.excess) == (True, False)


def test_large_chunk() -> None:
    """A chunk larger than any read comes as it comes, and no bound applies to content."""
    reader = ChunkedReader(BOUND)
    assert reader.feed(b"100000\r\n") == b""
    for _ in range(16):
        assert reader.feed(b"x" * 65536) == b"x" * 65536
    assert reader.feed(b"\r\n" + END) == b""
    assert reader.complete


def test_many_small_chunks() -> None:
    """A body of chunks of one byte is one; the bound is on what stands between two of them (S-08)."""
    reader = ChunkedReader(BOUND)
    assert feed(reader, bytewise(chunk(b"x", b";a=b") * 500 + END)) == b"x" * 500
    assert reader.complete


@pytest.mark.parametrize("step", [1, 7, 256])
@pytest.mark.parametrize(
    "endless",
    [
        b"5;" + b"x" * 10 * BOUND,
        b"5" + b";a=b" * 10 * BOUND,
        b'5;a="' + b"x" * 10 * BOUND,
        b"0" * 10 * BOUND,
        b"0\r\n" + b"X: y\r\n" * 10 * BOUND,
        b"0\r\nX: " + b"y" * 10 * BOUND,
        b"0\r\n" + b"X" * 10 * BOUND,
        b"0\r\nX:" + b" " * 10 * BOUND,
    ],
    ids=lambda data: data[:8].decode(),
)
def test_bound(endless: bytes, step: int) -> None:
    """Extensions and trailers without an end are given up at the bound, give or take a read (S-08)."""
    pieces = [endless[at : at + step] for at in range(0, len(endless), step)]
    reader = ChunkedReader(BOUND)
    with pytest.raises(Truncated, match=r"1024 bytes of chunk extensions or trailers|malformed chunked body"):
        feed(reader, pieces[: BOUND // step + 1])
    assert not reader.complete


def test_up_to_the_bound() -> None:
    """Below the bound extensions and trailers may be as long as they like; content starts the count anew."""
    reader = ChunkedReader(BOUND)
    for _ in range(5):
        assert feed(reader, bytewise(chunk(b"hello", b";" + b"x" * (BOUND - 10)))) == b"hello"
    assert feed(reader, bytewise(b"0\r\nX: " + b"y" * (BOUND - 20) + b"\r\n\r\n")) == b""
    assert reader.complete
    reader = ChunkedReader(BOUND)
    reader.feed(b"0\r\nX: " + b"y" * 10 * BOUND + b"\r\n\r\n")
    assert reader.complete, "what is over need not be given up"


@pytest.mark.parametrize(
    "name", ["Transfer-Encoding: chunked", "Host: x", "Authorization: x", "Connection: close", "Set-Cookie: a=b"]
)
def test_trailers_mean_nothing(name: str) -> None:
    """A trailer is dropped, whatever it is called; none takes part in the framing (F-65, S-09)."""
    wire = b"5\r\nhello\r\n0\r\n" + name.encode() + b"\r\n\r\n"
    for pieces in ([wire], bytewise(wire)):
        reader = ChunkedReader(BOUND)
        assert feed(reader, pieces) == b"hello"
        assert (reader.complete, reader.excess) == (True, False)


@pytest.mark.parametrize("trailer", [b"Content-Length: 5", b"Connection: upgrade\r\nUpgrade: x", b"Content-Length: 0"])
def test_trailers_that_frame(trailer: bytes) -> None:
    """A trailer that would change the framing if it were a field is dropped, or its body refused (S-09)."""
    wire = b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n\r\n"
    for pieces in ([wire], bytewise(wire)):
        assert outcome(pieces) in (None, (b"hello", True))


BEHIND = {
    "a byte": b"x",
    "a letter that begins a response": b"H",
    "an empty line": b"\r\n",
    "two empty lines": b"\r\n\r\n",
    "a line feed": b"\n",
    "a carriage return": b"\r",
    "a second end": END,
    "a second body": HELLO,
    "the beginning of a response": b"HTTP/1.1 200 OK\r\n",
    "a response without a body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a response with a length of 0": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a response with a body": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
    "a response until close": b"HTTP/1.1 200 OK\r\n\r\nEVIL",
    "a chunked response": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\n\r\n",
    "garbage": b"\0\xff\r\n\r\n",
    "a line and an end": b"x\r\n\r\n",
    "NULs": b"\0" * 100,
}
behind = pytest.mark.parametrize("excess", BEHIND.values(), ids=BEHIND.keys())
before = pytest.mark.parametrize("wire", [HELLO, END, b"0\r\nX-A: 1\r\n\r\n", b"5;a\r\nhello\r\n" + END], ids=repr)


@behind
@before
def test_excess_is_seen(wire: bytes, excess: bytes) -> None:
    """Whatever stands behind the end in the same read is seen, so that the connection is not used again (F-60,
    S-17)."""
    for pieces in ([wire + excess], [wire[:-1], wire[-1:] + excess], [wire[:-3], wire[-3:] + excess]):
        reader = ChunkedReader(BOUND)
        feed(reader, pieces)
        assert reader.complete
        assert reader.excess


@behind
@before
def test_excess_is_no_content(wire: bytes, excess: bytes) -> None:
    """Nothing of what stands behind the end is content (F-60, S-15)."""
    content = b"hello" if b"hello" in wire else b""
    for pieces in ([wire + excess], [wire[:-1], wire[-1:] + excess]):
        assert feed(ChunkedReader(BOUND), pieces) == content


@given(st.binary(min_size=1, max_size=30), st.integers(0, 30))
def test_any_excess(excess: bytes, cut: int) -> None:
    """The same for any bytes."""
    wire = HELLO + excess
    cut = min(cut, len(HELLO) - 1)
    reader = ChunkedReader(BOUND)
    assert feed(reader, split(wire, [cut])) == b"hello"
    assert (reader.complete, reader.excess) == (True, True)


@pytest.mark.parametrize(
    "wire",
    [
        b"x\r\nhello\r\n" + END,
        b"\r\nhello\r\n" + END,
        b"\r\n5\r\nhello\r\n" + END,
        b"0x5\r\nhello\r\n" + END,
        b"+5\r\nhello\r\n" + END,
        b"-5\r\nhello\r\n" + END,
        b"5.0\r\nhello\r\n" + END,
        b"5_0\r\nhello\r\n" + END,
        b" 5\r\nhello\r\n" + END,
        b"5 \r\nhello\r\n" + END,
        b"5\t\r\nhello\r\n" + END,
        b"5 5\r\nhello\r\n" + END,
        b"5,5\r\nhello\r\n" + END,
        b";a\r\nhello\r\n" + END,
        b"\xb2\r\nhello\r\n" + END,
        b"5\nhello\r\n" + END,
        b"5\rhello\r\n" + END,
        b"5\r\r\nhello\r\n" + END,
        b"5\0\r\nhello\r\n" + END,
        b"5;a\nb\r\nhello\r\n" + END,
        b"5;a\nhello\r\n" + END,
        b"5;a\rb\r\nhello\r\n" + END,
        b"5;a\0\r\nhello\r\n" + END,
        b"5;a\x7f\r\nhello\r\n" + END,
        b'5;a="\r\n"\r\nhello\r\n' + END,
        b"5\r\nhello" + END,
        b"5\r\nhello\n" + END,
        b"5\r\nhello\r" + END,
        b"5\r\nhello\r\r\n" + END,
        b"5\r\nhelloXX" + END,
        b"5\r\nhello!\r\n" + END,
        b"5\r\nhell\r\n" + END,
        b"6\r\nhello\r\n" + END,
        b"5\r\nhello\r\n0\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"5\r\nhello\r\n0\r\n\n",
        b"5\r\nhello\r\n0\r\n\rx",
        b"5\r\nhello\r\n0\r\nX-A : 1\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: 1\r\n folded\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: 1\nX-B: 2\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A: 1\0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-A\r\n\r\n",
        b"5\r\nhello\r\n0\r\n: 1\r\n\r\n",
        b"5\r\nhello\r\n-1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"hello",
        b"10000000000000005\r\nhello\r\n" + END,
        b"f" * 17 + b"\r\nhello\r\n" + END,
    ],
    ids=repr,
)
def test_garbage(wire: bytes) -> None:
    """Chunk sizes, line ends and trailers that are not exactly as RFC 9112 section 7.1 has them are refused, however
    they are cut (F-82, S-06, S-07)."""
    for pieces in ([wire], bytewise(wire)):
        with pytest.raises(Truncated, match="malformed chunked body"):
            feed(ChunkedReader(BOUND), pieces)


def test_sizes_do_not_wrap() -> None:
    """A size beyond 64 bits is refused; one below is believed, and waited for."""
    assert outcome([b"ffffffffffffffff\r\nabc"]) == (b"abc", False)
    assert outcome([b"00000000000000000000000005\r\nhello\r\n" + END]) == (b"hello", True)
    assert outcome([b"1" + b"0" * 16 + b"\r\n" + END]) is None


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_noise(noise: bytes, cuts: list[int]) -> None:
    """Bytes at random are refused, incomplete or a body; the same however they are cut, and no other error is
    raised."""
    for wire in (noise, b"5\r\nhello\r\n" + noise, b"5;" + noise, b"0\r\n" + noise, HELLO[:-2] + noise):
        whole, pieces = outcome([wire]), split(wire, cuts)
        reader = ChunkedReader(BOUND)
        content = b""
        try:
            for piece in pieces:
                content += reader.feed(piece)
                if reader.complete:
                    break
        except Truncated:
            assert whole is None
        else:
            assert whole == (content, reader.complete)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2), st.binary(max_size=2)), min_size=1, max_size=3))
def test_mutations(changes: list[tuple[int, int, bytes]]) -> None:
    """A body with bytes replaced, inserted or gone is refused or a body; never anything but ``Truncated``, never more
    content than came."""
    wire = b"5;a=b\r\nhello\r\na\r\n0123456789\r\n0\r\nX-A: 1\r\n\r\n"
    for at, gone, put in changes:
        wire = wire[:at] + put + wire[at + gone :]
    result = outcome([wire])
    if result is not None:
        assert len(result[0]) < len(wire)
        if not result[1]:
            assert outcome(bytewise(wire)) == result
