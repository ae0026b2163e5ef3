"""What a `FakeUpstream` does with a request: small steps, run one after another.

    server.on("/slow", delay(0.2), respond(200, body=b"late"))
    server.once(head(200, headers={"Content-Length": "9"}), raw(b"half"), hold(event), reset())

A step is any async function of a `Turn`; the functions of this module make the usual ones. A request's body is read
whole before the first step, unless the script itself contains `read_body`, `ignore_body` or `stop_reading`. A wait ends
with `PeerLeft`, and with it the script, when the client leaves. Nothing is added to what a step says but framing.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from ..wire.handshake import accept_key
from .turn import Step, Turn

Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""Header fields in order and case; `str` is sent as latin-1, nothing is checked."""
Pieces: TypeAlias = Iterable[bytes] | AsyncIterable[bytes]
Source: TypeAlias = bytes | Pieces | Callable[[], Pieces]
"""A body. An iterator lasts for one request; a function that makes one, a list or `pattern()` for any number."""


@dataclass(frozen=True, slots=True)
class Action:
    """A step that prints itself. `governs_body`: its script says by itself when the request's body is read."""

    text: str
    run: Step = field(repr=False)
    governs_body: bool = False

    def __call__(self, turn: Turn) -> Coroutine[Any, Any, None]:
        return self.run(turn)

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Pattern:
    """`size` bytes that are made while they are sent; every 64 KiB begin with their number, so no two are alike."""

    size: int

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, self.size, 65536):
            yield (b"%015x\n" % (at >> 16) + _FILL)[: self.size - at]

    @property
    def sha256(self) -> str:
        """Hex digest, to compare with what arrived."""
        digest = hashlib.sha256()
        for piece in self:
            digest.update(piece)
        return digest.hexdigest()


_FILL = b"".join(b"%015d\n" % line for line in range(1, 4096))


def pattern(size: int) -> Pattern:
    """A body of `size` bytes for `respond` that is never in memory as a whole."""
    return Pattern(_natural("size", size))


def respond(
    status: int = 200,
    *,
    headers: Fields = (),
    body: Source = b"",
    chunked: bool | Sequence[int] = False,
    trailers: Fields = (),
    length: int | None = None,
    reason: str | None = None,
    http: str = "1.1",
    close: bool = False,
) -> Action:
    """An answer, correctly framed unless told otherwise.

    A body of known size gets a Content-Length; with `chunked=True` every piece is one chunk, with `chunked=[3, 1]` the
    bytes are cut to those sizes and the rest; anything else ends with the connection. `length` declares a
    Content-Length of its own, true or not, even beside `chunked`; a framing field in `headers` replaces the automatic
    one. `close` says `Connection: close` and does it. To HEAD, and with 1xx, 204 and 304, no body is sent (`raw` can).
    """
    lines = _encode(headers)
    names = {name.lower() for name, _ in lines}
    if not isinstance(chunked, bool):
        if not isinstance(body, bytes):
            raise ValueError(f"respond: chunked={chunked!r} cuts bytes, body is {type(body).__name__}")
        body, chunked = _cut(body, chunked), True
    size = len(body) if isinstance(body, bytes) else body.size if isinstance(body, Pattern) else None
    bodiless = status < 200 or status in (204, 304)
    framed = chunked or bodiless or length is not None or names & {b"content-length", b"transfer-encoding"}
    if length is not None:
        lines.append((b"Content-Length", b"%d" % length))
    if chunked and b"transfer-encoding" not in names:
        lines.append((b"Transfer-Encoding", b"chunked"))
    if not framed and size is not None:
        lines.append((b"Content-Length", b"%d" % size))
    if close:
        lines.append((b"Connection", b"close"))
    start = _head(status, lines, reason, http)
    last = b"0\r\n%b\r\n" % _block(_encode(trailers)) if chunked else b""

    async def run(turn: Turn) -> None:
        silent = bodiless or turn.request.method == "HEAD"
        if isinstance(body, bytes) and not chunked:
            await turn.write(start if silent else start + body)
        else:
            await turn.write(start)
            if not silent:
                await _send(turn, body, chunked=bool(chunked))
                await turn.write(last)
        if close or not (framed or size is not None):
            await turn.close()

    return Action(f"respond({status})", run)


def head(status: int = 200, *, headers: Fields = (), reason: str | None = None, http: str = "1.1") -> Action:
    """A response's head and nothing else: no framing is added, the body is for the steps that follow."""
    data = _head(status, _encode(headers), reason, http)
    return Action(f"head({status})", lambda turn: turn.write(data))


def interim(status: int, headers: Fields = ()) -> Action:
    """A 1xx response; the final one follows."""
    data = _head(status, _encode(headers), None, "1.1")
    return Action(f"interim({status})", lambda turn: turn.write(data))


def switch(protocol: str = "websocket", headers: Fields = ()) -> Action:
    """A 101 that accepts an upgrade; that of a WebSocket with the `Sec-WebSocket-Accept` that the request calls for."""

    async def run(turn: Turn) -> None:
        lines = [(b"Connection", b"Upgrade"), (b"Upgrade", _bytes(protocol))]
        if protocol == "websocket":
            key = "".join(turn.request.getall("Sec-WebSocket-Key"))
            lines.append((b"Sec-WebSocket-Accept", accept_key(key).encode("ascii")))
        await turn.write(_head(101, lines + _encode(headers), None, "1.1"))

    return Action(f"switch({protocol!r})", run)


def echo() -> Action:
    """After `switch()`: send every frame of the client's back, unmasked, until it ends. A Close is sent back as well,
    and then the connection is closed, which is for the server to do (RFC 6455 section 7.1.1)."""

    async def run(turn: Turn) -> None:
        held = b""
        while data := await turn.read():
            held += data
            frames = []
            while (end := _masked_frame(held)) <= len(held):
                frames.append(_unmasked(held[:end]))
                held = held[end:]
            if frames:
                await turn.write(b"".join(frames))
            if any(frame[0] & 0x0F == 0x8 for frame in frames):
                await turn.close()
                return

    return Action("echo()", run)


def raw(data: bytes) -> Action:
    """Any bytes, in one write: garbage, wrong framing, what comes after the end."""
    return Action(f"raw({data[:20]!r}{'...' * (len(data) > 20)})", lambda turn: turn.write(data))


def drip(data: bytes, size: int = 1, gap: float = 0.0) -> Action:
    """Any bytes in writes of `size` bytes, `gap` seconds apart (0: one pass of the event loop)."""
    if size < 1:
        raise ValueError(f"drip: size must be at least 1, not {size}")
    _natural("gap", gap)

    async def run(turn: Turn) -> None:
        for at in range(0, len(data), size):
            if at:
                await turn.wait(seconds=gap)
            await turn.write(data[at : at + size])

    return Action(f"drip({len(data)} bytes, {size}, {gap})", run)


def truncate(after: int, of: int | None = None, *, status: int = 200, by_reset: bool = False) -> Action:
    """`after` bytes of a body of declared length `of` (None: a chunked one without its last chunk), then FIN or RST."""
    if _natural("after", after) >= (after + 1 if of is None else of):
        raise ValueError(f"truncate: of={of} must be more than after={after}")
    framing = {"Transfer-Encoding": "chunked"} if of is None else {"Content-Length": str(of)}
    sent = b"%x\r\n%b\r\n" % (after, b"x" * after) if of is None and after else b"x" * after
    data = _head(status, _encode(framing), None, "1.1") + sent

    async def run(turn: Turn) -> None:
        await turn.write(data)
        await (turn.reset() if by_reset else turn.close())

    return Action(f"truncate({after}, of={of})", run)


def delay(seconds: float) -> Action:
    """Wait that long."""
    _natural("seconds", seconds)
    return Action(f"delay({seconds})", lambda turn: turn.wait(seconds=seconds))


def hold(event: asyncio.Event) -> Action:
    """Wait until the test sets the event."""
    return Action("hold()", lambda turn: turn.wait(event))


def stall() -> Action:
    """Go no further until `FakeUpstream.release` or until the client leaves."""
    return Action("stall()", lambda turn: turn.wait(turn.released))


def signal(event: asyncio.Event) -> Action:
    """Set the event: the test learns that the script got here."""

    async def run(turn: Turn) -> None:
        event.set()

    return Action("signal()", run)


def read_body() -> Action:
    """Read the rest of the body now. If a 100 is expected it is sent, unless something was or after `ignore_body`."""
    return Action("read_body()", lambda turn: turn.read_body(), governs_body=True)


def ignore_body() -> Action:
    """Go on before the upload is there; it is read and recorded meanwhile, and to its end before the next request."""
    return Action("ignore_body()", lambda turn: turn.ignore_body(), governs_body=True)


def stop_reading() -> Action:
    """Backpressure: read nothing of the upload until `read_body`, a closing step or the end of the script.

    The socket's buffer still fills (see `FakeUpstream(socket_buffer=)`), and some hundred KiB may already have been
    taken from it. While reading is stopped, that the client left is not seen.
    """
    return Action("stop_reading()", lambda turn: turn.stop_reading(), governs_body=True)


def close() -> Action:
    """A clean FIN. What is left of an upload is swallowed before the socket goes (not over TLS)."""
    return Action("close()", lambda turn: turn.close())


def close_while_idle() -> Action:
    """After an answer that promised to keep the connection: FIN at once. For later: `FakeUpstream.close_idle`."""
    return Action("close_while_idle()", lambda turn: turn.close())


def reset() -> Action:
    """A RST (SO_LINGER 0), after what was written before. On a Unix socket a plain end, unless an upload is unread.

    What a client's full receive window still keeps in the kernel is lost with it.
    """
    return Action("reset()", lambda turn: turn.reset())


def _masked_frame(data: bytes) -> int:
    """The size of the frame that `data` begins with (RFC 6455 section 5.2), as far as it is known."""
    size = data[1] & 0x7F if len(data) > 1 else 0
    extended = {126: 2, 127: 8}.get(size, 0)
    if extended:
        size = int.from_bytes(data[2 : 2 + extended])
    return 6 + extended + size


def _unmasked(frame: bytes) -> bytes:
    extended = {126: 2, 127: 8}.get(frame[1] & 0x7F, 0)
    key, payload = frame[2 + extended : 6 + extended], frame[6 + extended :]
    mask = int.from_bytes((key * (len(payload) // 4 + 1))[: len(payload)])
    content = (int.from_bytes(payload) ^ mask).to_bytes(len(payload))
    return bytes([frame[0], frame[1] & 0x7F]) + frame[2 : 2 + extended] + content


async def _send(turn: Turn, source: Source, *, chunked: bool) -> None:
    async def put(piece: bytes) -> None:
        if piece:
            await turn.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

    pieces = [source] if isinstance(source, bytes) else source() if callable(source) else source
    if not isinstance(pieces, AsyncIterable):
        for piece in pieces:
            await put(piece)
        return
    try:
        async for piece in pieces:
            await put(piece)
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()


def _cut(body: bytes, sizes: Sequence[int]) -> list[bytes]:
    starts = [sum(sizes[:count]) for count in range(len(sizes) + 1)]
    return [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def _natural(name: str, value: float) -> Any:
    if value < 0:
        raise ValueError(f"{name} must not be negative: {value}")
    return value


def _encode(fields: Fields) -> list[tuple[bytes, bytes]]:
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return [(_bytes(name), _bytes(value)) for name, value in pairs]


def _bytes(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def _block(lines: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % line for line in lines)


def _head(status: int, lines: list[tuple[bytes, bytes]], reason: str | None, http: str) -> bytes:
    if reason is None:
        reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return b"HTTP/%b %d %b\r\n%b\r\n" % (_bytes(http), status, _bytes(reason), _block(lines))
