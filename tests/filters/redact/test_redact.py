"""Taking secrets out of what responses say."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from revproxy import Exchange, Handler, Response
from revproxy.body import Body, StreamBody
from revproxy.errors import BadContent, InternalError, ResponseRefused
from revproxy.filters import Redact
from revproxy.filters.content import Handling
from revproxy.filters.redact import Detector, Fixed, SameLength, detectors
from revproxy.security_log import LOGGER, Severity
from revproxy.testing import FakeClock, exchange

BADGE = Detector("badge", rb"\bB-\d{6}\b")
JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html")


class Records(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def log() -> Iterator[Records]:
    records = Records()
    LOGGER.addHandler(records)
    yield records
    LOGGER.removeHandler(records)


async def pieces(data: bytes, step: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


def streaming(data: bytes, step: int = 7, *, sized: bool = False) -> Body:
    return StreamBody(pieces(data, step), length=len(data) if sized else None)


def answering(response: Response) -> Handler:
    async def handler(exchange: Exchange) -> Response:
        return response

    return handler


async def collect(response: Response, chunks: list[bytes]) -> None:
    """Put into ``chunks`` what comes, as it comes."""
    async for chunk in response.body:
        chunks.append(chunk)  # noqa: PERF401  # one by one: it may break off


async def answer(
    redact: Redact, data: bytes, *headers: tuple[str, str], asked: Exchange | None = None, body: Body | None = None
) -> tuple[Response, bytes]:
    asked = asked or exchange("GET", "/people?q=1")
    response = await redact(asked, answering(Response(200, headers, body or streaming(data))))
    said = b"".join([chunk async for chunk in response.body])
    asked.finish()
    return response, said


async def test_mask(log: Records) -> None:
    """S-64: what is found is masked, as it streams, in gzip too; the log has names and numbers, and never the secret
    (S-62, S-72)."""
    redact = Redact(BADGE, clock=FakeClock())
    data = b'{"a": "B-123456 and \\u0042-654321"}'
    masked = b'{"a": "[badge] and [badge]"}'
    assert (await answer(redact, data, JSON))[1] == masked
    response, said = await answer(redact, gzip.compress(data), JSON, ("Content-Encoding", "gzip"), ("ETag", '"1"'))
    assert gzip.decompress(said) == masked
    assert response.headers["ETag"] == 'W/"1"'
    assert redact.redacted == 4
    assert redact.counts == {"badge": 4}
    assert log.lines[0].startswith('rule "redact": redact for "badge 2 in its content", client')
    assert log.records[0].levelno == Severity.WARNING
    assert not any("123456" in line for line in log.lines)
    assert repr(redact) == "<Redact: badge, 4 found>"


async def test_length() -> None:
    """F-53: masks of the same length keep Content-Length, others do not; nor does a coding."""
    for mask, kept in ((SameLength(), True), (None, False)):
        redact = Redact(BADGE, mask=mask)
        assert redact.keeps_length is kept
        response, said = await answer(redact, b"", HTML, body=streaming(b"a B-123456", sized=True))
        assert response.body.length == (10 if kept else None)
        assert said == (b"a ********" if kept else b"a [badge]")
    data = gzip.compress(b"a B-123456")
    response, _ = await answer(
        Redact(BADGE, mask=SameLength()), b"", HTML, ("Content-Encoding", "gzip"), body=streaming(data, sized=True)
    )
    assert response.body.length is None


@pytest.mark.parametrize("body", [Body(b"a B-123456"), streaming(b"a B-123456", 3)], ids=["memory", "stream"])
async def test_drop(body: Body, log: Records) -> None:
    """A response with a secret is refused as a whole (502), as long as its head has not gone out."""
    redact = Redact(BADGE, action="drop")
    with pytest.raises(ResponseRefused, match=r"a secret in its content \(badge\)"):
        await redact(exchange("GET", "/"), answering(Response(200, [HTML], body)))
    assert log.lines[0].startswith('rule "redact": block 502 for "badge 1 in its content"')
    assert redact.redacted == 1
    assert repr(redact) == "<Redact: badge, action='drop', 1 found>"


async def test_drop_later() -> None:
    """F-54, F-55: beyond 64 KiB the body breaks off before the secret; what has none comes as it was."""
    redact = Redact(BADGE, action="drop")
    data = b"x" * 70000 + b" B-123456"
    response = await redact(exchange("GET", "/"), answering(Response(200, [HTML], streaming(data, 1000))))
    came = [b""]
    with pytest.raises(ResponseRefused):
        await collect(response, came)
    assert data.startswith(b"".join(came))
    assert b"B" not in b"".join(came)
    clean = gzip.compress(b"nothing here" * 99)
    response, said = await answer(redact, clean, HTML, ("Content-Encoding", "gzip"), ("ETag", '"1"'))
    assert said == clean
    assert response.headers["ETag"] == '"1"'


async def test_shadow(log: Records) -> None:
    """In shadow the bytes are those that came, coding and all, and the log says what would have been masked."""
    redact = Redact(BADGE, action="shadow")
    data = gzip.compress(b"a B-123456")
    response, said = await answer(redact, data, HTML, ("Content-Encoding", "gzip"), ("ETag", '"1"'))
    assert said == data
    assert response.headers["ETag"] == '"1"'
    assert log.lines[0].startswith('rule "redact": shadow redact for "badge 1 in its content"')
    _, said = await answer(redact, b"a B-123456", HTML, ("Content-Encoding", "unheard-of"))
    assert said == b"a B-123456"


async def test_types() -> None:
    """What is no text goes on as it came, the very same body; what has no type is looked into, or has two."""
    redact = Redact(BADGE)
    for kind in ("image/png", "application/octet-stream", "application/pdf"):
        body = streaming(b"B-123456")
        response = await redact(exchange("GET", "/"), answering(Response(200, [("Content-Type", kind)], body)))
        assert response.body is body
    for headers in ([], [("Content-Type", "nonsense")], [("Content-Type", "image/png"), ("Content-Type", "text/html")]):
        assert (await answer(redact, b"a B-123456", *headers))[1] == b"a [badge]"
    told = Redact(BADGE, types=["application/octet-stream"])
    assert (await answer(told, b"a B-123456", ("Content-Type", "application/octet-stream")))[1] == b"a [badge]"
    assert (await answer(told, b"a B-123456", HTML))[1] == b"a B-123456"


async def test_what_cannot_be_read() -> None:
    """S-66: an unknown coding, UTF-16, and a part are refused, unless it is declared that they pass."""
    utf16 = "a B-123456".encode("utf-16")
    for data, *headers in (
        (b"a B-123456", HTML, ("Content-Encoding", "unheard-of")),
        (utf16, HTML),
        (utf16[2:], ("Content-Type", "text/html; charset=utf-16le")),
    ):
        with pytest.raises(ResponseRefused):
            await answer(Redact(BADGE), data, *headers)
        passing = Redact(BADGE, handling=Handling(unreadable="pass"))
        assert (await answer(passing, data, *headers))[1] == data
    with pytest.raises(ResponseRefused):
        await Redact(BADGE)(exchange("GET", "/"), answering(Response(206, [HTML], Body(b"a B-"))))


async def test_bomb() -> None:
    """S-51: what blows up is cut, with bounded memory."""
    data = gzip.compress(b"0" * 50_000_000)
    response = await Redact(BADGE)(
        exchange("GET", "/"), answering(Response(200, [HTML, ("Content-Encoding", "gzip")], streaming(data, 1000)))
    )
    with pytest.raises(BadContent):
        await collect(response, [])


async def test_a_detector_that_raises() -> None:
    """It fails closed: 500, or a cut."""

    def broken(secret: bytes) -> bool:
        raise KeyError("B-123456")

    redact = Redact(Detector("badge", rb"B-\d{6}", valid=broken))
    with pytest.raises(InternalError, match="detector badge failed: KeyError"):
        await answer(redact, b"", HTML, body=Body(b"a B-123456 "))
    with pytest.raises(InternalError):
        await answer(redact, b"a B-123456 ", HTML)


async def test_fields(log: Records) -> None:
    """Values of the fields that are named are looked into, percent-encoding undone, whatever the type and status."""
    redact = Redact(BADGE, fields=["location", "X-Debug"])
    headers = [("Location", "/?b=%42-123456&x=1"), ("X-Debug", "caf\u00e9 B-123456"), ("X-Other", "B-123456")]
    for status in (302, 204, 304):
        response = await redact(exchange("GET", "/"), answering(Response(status, headers)))
        assert list(response.headers.items()) == [
            ("Location", "/?b=[badge]&x=1"),
            ("X-Debug", "caf\u00e9 [badge]"),
            ("X-Other", "B-123456"),
        ]
    assert 'for "badge 2 in its fields"' in log.lines[0]
    clean = Response(204, [("Location", "/")])
    assert await redact(exchange("GET", "/"), answering(clean)) is clean
    shadow = Response(204, headers)
    assert await Redact(BADGE, fields=["Location"], action="shadow")(exchange("GET", "/"), answering(shadow)) is shadow
    with pytest.raises(ResponseRefused, match="a secret in its fields"):
        await Redact(BADGE, fields=["Location"], action="drop")(exchange("GET", "/"), answering(shadow))


async def test_fields_of_a_detector_that_raises() -> None:
    """They fail closed, too; in shadow they go on."""

    def broken(secret: bytes) -> bool:
        raise ValueError

    badge = Detector("badge", rb"B-\d{6}", valid=broken)
    came = Response(204, [("Location", "/B-123456")])
    with pytest.raises(InternalError):
        await Redact(badge, fields=["Location"])(exchange("GET", "/"), answering(came))
    assert await Redact(badge, fields=["Location"], action="shadow")(exchange("GET", "/"), answering(came)) is came


async def test_events_are_told_of_as_they_come(log: Records) -> None:
    """An event goes out as soon as it is there, and what was in it is told of at once, as the stream may never end."""
    redact = Redact(BADGE, fold=0)
    sent = [b"data: B-123456\n\n", b"data: nothing\n\n", b"data: B-123456 B-123456\n\n"]
    seen: list[bytes] = []
    told: list[int] = []

    async def events() -> AsyncIterator[bytes]:
        for each in sent:
            yield each
            assert seen[-1] == each.replace(b"B-123456", b"[badge]")
            told.append(len(log.lines))

    kind = ("Content-Type", "text/event-stream")
    response = await redact(exchange("GET", "/"), answering(Response(200, [kind], StreamBody(events()))))
    await collect(response, seen)
    assert told == [1, 1, 2]


async def test_a_client_that_leaves(log: Records) -> None:
    """What was found is told of even if nobody reads to the end."""
    redact = Redact(BADGE)
    asked = exchange("GET", "/")
    data = b"B-123456 " + b"x" * 5000
    response = await redact(asked, answering(Response(200, [HTML], streaming(data, 1000))))
    async for _ in response.body:
        break
    asked.finish()
    assert len(log.lines) == 1


async def test_no_log(log: Records) -> None:
    """Without a severity nothing is logged; counted it is all the same."""
    redact = Redact(BADGE, severity=None)
    await answer(redact, b"B-123456", HTML)
    assert log.lines == []
    assert redact.redacted == 1


async def test_folded(log: Records) -> None:
    """S-62: what one client is sent again and again is folded into one line, which ``stop`` does not lose."""
    redact = Redact(BADGE, clock=FakeClock())
    for _ in range(9):
        await answer(redact, b"B-123456", HTML)
    assert len(log.lines) == 5
    await redact.stop()
    assert "4 more like it" in log.lines[-1]


def test_text() -> None:
    """The same for what is no response: a line of a log, a message."""
    redact = Redact(BADGE)
    assert redact.text("caf\u00e9 B-123456 \ud83d") == "caf\u00e9 [badge] \ud83d"
    assert redact.text(b"\xff B-123456") == b"\xff [badge]"
    assert redact.text('"\\u0042-123456"', type="application/json") == '"[badge]"'
    assert redact.counts == {"badge": 3}
    with pytest.raises(ResponseRefused):
        Redact(BADGE, action="drop").text("B-123456")
    assert Redact(BADGE, action="shadow").text("B-123456") == "B-123456"
    with pytest.raises(ValueError, match="type: 'text' is no media type"):
        redact.text("", type="text")
    assert Redact(Detector("bytes", rb"x.")).text("x\u00e9 \ud83d") == "[bytes]\ufffd \ufffd\ufffd\ufffd"


def test_message(log: Records) -> None:
    """As a function of a ``WebSocketFilter`` it edits the text that the upstream sends."""
    from revproxy.filters.websocket import Passage

    redact = Redact(BADGE)
    upstream = Passage(exchange("GET", "/"), "upstream")
    assert redact.message(upstream, "B-123456") == "[badge]"
    assert redact.message(upstream, ' {"a": "\\u0042-123456", "n": 1}') == ' {"a": "[badge]", "n": 1}'
    assert redact.message(upstream, b"B-123456") == b"B-123456"
    client = Passage(exchange("GET", "/"), "client")
    assert redact.message(client, "B-123456") == "B-123456"
    assert redact.message_of_either(client, "B-123456") == "[badge]"
    assert "badge 1 in a message" in log.lines[0]
    with pytest.raises(ResponseRefused):
        Redact(BADGE, action="drop").message(upstream, "B-123456")


def test_ready_made() -> None:
    """Cards alone, or everything, and one's own besides; by default everything."""
    assert Redact.cards().detectors == detectors.CARDS
    assert Redact().detectors == Redact.everything().detectors == detectors.ALL
    redact = Redact.everything(BADGE, mask=Fixed("-"))
    assert redact.text("B-123456 4111 1111 1111 1111 a@example.com") == "- - -"
    assert repr(redact).startswith(f"<Redact: {len(detectors.ALL) + 1} detectors, 3 found")


def test_json_with_everything() -> None:
    """A page of an API stays JSON, with all detectors."""
    said = {"card": 4111111111111111, "mail": "a@example.com", "key": "AKIA2E0A8F3B244C9986", "quote": '"\\'}
    edited = json.loads(Redact().text(json.dumps(said), type="application/json"))
    assert edited["card"] == 9999999999999999
    assert edited["quote"] == '"\\'
    assert edited["mail"] == "[email]"


@pytest.mark.parametrize(
    ("wrong", "error", "what"),
    [
        ({"action": "hide"}, ValueError, "action must be 'mask', 'drop' or 'shadow', got 'hide'"),
        ({"mask": "x"}, TypeError, "mask: 'x' is not a Mask"),
        ({"severity": 3}, TypeError, "severity: 3 is not a Severity"),
        ({"name": ""}, ValueError, "name must not be empty"),
        ({"types": "text/*"}, TypeError, "types: several of them"),
        ({"types": ["text"]}, ValueError, "types: 'text' is no media type"),
        ({"fields": "Location"}, TypeError, "fields: several of them"),
        ({"fields": ["Loc ation"]}, ValueError, "fields: 'Loc ation' is no name of a field"),
        ({"prefilter": "grep"}, ValueError, "prefilter must be"),
        ({"handling": "edit"}, TypeError, "handling: 'edit' is not a Handling"),
        ({"fold": -1}, ValueError, "fold must be at least 0"),
    ],
    ids=range(11),
)
def test_bad_input(wrong: dict[str, Any], error: type[Exception], what: str) -> None:
    """Whatever is wrong is named, with its value."""
    with pytest.raises(error, match=what):
        Redact(BADGE, **wrong)


def test_bad_detectors() -> None:
    """What is no detector is refused, and so are two of one name."""
    with pytest.raises(TypeError, match="detectors: b'x' is not a Detector"):
        Redact(b"x", mask=SameLength())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="detectors: two of the name 'badge'"):
        Redact(BADGE, BADGE)
