"""Looking for leaks in responses, by score."""

from __future__ import annotations

import gzip
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from revproxy import Exchange, Response, Severity, block, respond, when
from revproxy.body import Body, StreamBody
from revproxy.errors import BadContent, ProxyError, ResponseRefused
from revproxy.exchange import Hooks
from revproxy.filters.content import Handling
from revproxy.filters.inspect import Exclusion
from revproxy.filters.leaks import LEAKS, InspectResponse, packs
from revproxy.rules import Rule
from revproxy.testing import FakeClock, exchange

from ...codings.test_codings import coded

TRACE = b'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in f\n    g("hunter2")\nKeyError: 1\n'
QUOTED = b"<p>So it looks:</p><pre>" + TRACE.replace(b'"', b"&quot;") + b"</pre>"
NOTE = b"java.lang.IllegalStateException: hunter2"
HTML = [("Content-Type", "text/html; charset=utf-8")]


async def pieces(data: bytes, step: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


class Bench:
    """A filter, and what it makes of responses."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self.subject = InspectResponse(*given, clock=FakeClock(), **{"prefilter": "words", **options})
        self.exchange = exchange()

    async def get(
        self,
        data: bytes | Body,
        headers: Any = HTML,
        *,
        status: int = 200,
        step: int = 0,
        method: str = "GET",
        target: str = "/",
        hooks: Hooks | None = None,
    ) -> tuple[bytes, ProxyError | None]:
        """What a client gets, and the error behind which nothing more comes."""
        body = data if isinstance(data, Body) else StreamBody(pieces(data, step)) if step else Body(data)
        self.exchange = asked = exchange(method, target)
        if hooks is not None:
            asked.hooks = hooks

        async def answer(exchange: Exchange) -> Response:
            return Response(status, headers, body)

        got = b""
        try:
            self.response = await self.subject(asked, answer)
            async for chunk in self.response.body:
                got += chunk
        except ProxyError as error:
            return got, error
        return got, None


@pytest.mark.parametrize("step", [0, 1, 7, 1000])
@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd", "deflate"])
async def test_refused(step: int, coding: str) -> None:
    """S-60, S-65: a leak within what is held is a clean 502, in whatever coding and pieces it comes, and nothing of it
    has gone out; what has none goes on byte for byte."""
    bench = Bench()
    headers = [*HTML, ("Content-Encoding", coding)] if coding else HTML
    for said, refused in ((b"<p>" + TRACE, True), (QUOTED, False), (b"<p>Hello</p>" * 500, False)):
        data = coded(coding, said) if coding else said
        got, error = await bench.get(data, headers, step=step)
        assert (got == data and error is None) is not refused
        if refused:
            assert got == b""
            assert type(error) is ResponseRefused
            assert error.status == 502
            assert bench.exchange[LEAKS].score >= 4
    assert (bench.subject.stopped, bench.subject.inspected) == (1, 3)


async def test_quoting() -> None:
    """S-60: what a document quotes is no leak at the first level, unless it is an error; it is one at the second."""
    assert (await Bench().get(QUOTED))[1] is None
    assert (await Bench().get(QUOTED, status=500))[1] is not None
    assert (await Bench().get(QUOTED, status=404))[1] is not None
    assert (await Bench(paranoia=2).get(QUOTED))[1] is not None


async def test_beyond_what_is_held() -> None:
    """S-65: behind ``hold`` it cuts, with the piece in which it is found not sent."""
    bench = Bench(hold=1000)
    begun = b"<p>x</p>" * 500
    got, error = await bench.get(begun + TRACE, step=100)
    assert got == begun[: len(got)]
    assert 1000 < len(got) <= 4000
    assert type(error) is ResponseRefused
    assert b"Traceback" not in got
    got, error = await Bench(hold=0).get(TRACE, step=10)
    assert error is not None
    assert b"line 3" not in got


async def test_events_are_not_held() -> None:
    """F-71: what a client reads as it comes goes out piece by piece, until something is found."""
    bench = Bench()
    fine = b"data: fine\n\n"
    bad = b"data: goroutine 1 [running]:\n\n"
    got, error = await bench.get(fine * 3 + bad + fine, [("Content-Type", "text/event-stream")], step=len(fine))
    assert error is not None
    assert got.startswith(fine * 3)
    assert b"[running]:" not in got


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: a line each, at the severity of the gravest, with the shape of what matched; and one at NOTICE of what does
    not reach the threshold."""
    caplog.set_level(logging.INFO, "revproxy.security")
    bench = Bench(fold=0.0)
    await bench.get(TRACE)
    await bench.get(NOTE)
    await bench.get(b"uid=0(root) gid=0(root) groups=0(root)")
    refused, noted, grave = caplog.records
    assert refused.levelno == Severity.ERROR.level
    assert refused.action == "block 502"  # type: ignore[attr-defined]
    assert "python-error-01 (a Python traceback) in body: xxxxxxxxx (xxxx" in refused.getMessage()
    assert (noted.levelno, noted.action) == (Severity.NOTICE.level, "pass")  # type: ignore[attr-defined]
    assert "score 3: java-error-07" in noted.getMessage()
    assert grave.levelno == Severity.CRITICAL.level
    assert "hunter2" not in caplog.text
    assert "app.py" not in caplog.text
    assert "\n" not in refused.getMessage()
    assert bench.exchange[LEAKS].findings[0].id == "web-shell-06"


async def test_the_action_of_a_cut(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: the log tells a cut from an answer."""
    await Bench(hold=10).get(b"x" * 100 + TRACE, step=50)
    assert caplog.records[0].action == "cut"  # type: ignore[attr-defined]


async def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """In shadow everything goes on as it came; the log says what would have become of it, once."""
    bench = Bench(shadow=True)
    data = TRACE * 3 + NOTE
    for step in (0, 11):
        assert await bench.get(data, step=step) == (data, None)
    assert bench.exchange[LEAKS].score >= 4
    assert [each.action for each in caplog.records] == ["shadow block 502"] * 2  # type: ignore[attr-defined]
    assert bench.subject.stopped == 2
    assert "shadow" in repr(bench.subject)
    for headers in ([*HTML, ("Content-Encoding", "compress")], [("Content-Type", "text/html; charset=utf-16")]):
        assert await bench.get(data, headers) == (data, None)
    assert await bench.get(b"\xff\xfex\x00y\x00") == (b"\xff\xfex\x00y\x00", None)
    assert await bench.get(b"part", status=206) == (b"part", None)


async def test_then(caplog: pytest.LogCaptureFixture) -> None:
    """A handler may answer instead, as long as the head has not gone out; what others refuse is theirs."""
    bench = Bench(then=respond(503, b"later"), hold=500)
    assert await bench.get(TRACE) == (b"later", None)
    assert bench.response.status == 503
    assert bench.exchange.rule is not None
    _, error = await bench.get(b"x" * 600 + TRACE, step=100)
    assert type(error) is ResponseRefused
    _, error = await bench.get(b"", [*HTML, ("Content-Encoding", "compress")])
    assert type(error) is ResponseRefused
    assert list(Bench(then=block(403)).subject.parts()) != []
    assert list(Bench().subject.parts()) == []


async def test_observers() -> None:
    """Who watches rules is told, as of a rule, with its severity."""
    told: list[tuple[Exchange, Rule]] = []
    hooks = Hooks(ruled=(lambda exchange, rule: told.append((exchange, rule)),))
    bench = Bench(name="leaks")
    await bench.get(TRACE, hooks=hooks)
    assert [(rule.name, rule.severity) for _, rule in told] == [("leaks", Severity.ERROR)]
    rule = told[0][1]
    with pytest.raises(ResponseRefused):
        await rule.then(exchange())


async def test_threshold_and_score() -> None:
    """S-60: lesser findings add up; a higher threshold needs more."""
    two = NOTE + b" System.NullReferenceException: no "
    assert (await Bench().get(NOTE))[1] is None
    assert (await Bench().get(two))[1] is not None
    assert (await Bench(threshold=7).get(two))[1] is None
    assert (await Bench(threshold=100).get(TRACE * 3))[1] is None


async def test_exclusions() -> None:
    """What is excluded where is not looked for there."""
    bench = Bench(exclusions=[Exclusion(ids="python-*", when=when.path("/paste/*")), Exclusion(ids="java-*")])
    assert (await bench.get(TRACE, target="/paste/1"))[1] is None
    assert (await bench.get(TRACE, target="/x"))[1] is not None
    assert (await bench.get(b"at a.b.C.d(C.java:12)"))[1] is None
    assert bench.subject.reads_path


@pytest.mark.parametrize(
    ("kind", "looked_at"),
    [
        ("text/html", True),
        ("text/plain; charset=iso-8859-1", True),
        ("application/problem+json", True),
        ("application/xml", True),
        ("application/x-ndjson", True),
        (None, True),
        ("what?", True),
        ("image/png", False),
        ("text/css", False),
        ("text/javascript", False),
        ("application/octet-stream", False),
        ("application/zip", False),
    ],
)
async def test_types(kind: str | None, looked_at: bool) -> None:
    """Texts are looked into, and what does not say what it is; all else goes on untouched."""
    bench = Bench()
    headers = [] if kind is None else [("Content-Type", kind)]
    body = Body(TRACE)
    _, error = await bench.get(body, headers)
    assert (error is not None) is looked_at
    if not looked_at:
        assert bench.response.body is body
        assert bench.subject.inspected == 0
    assert (await Bench(types=["image/*"]).get(TRACE, [("Content-Type", "image/svg+xml")]))[1] is not None


async def test_without_content() -> None:
    """Answers to HEAD, 204 and 304 have nothing to look at, and keep their fields."""
    bench = Bench()
    for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304)):
        got, error = await bench.get(b"", [*HTML, ("ETag", '"x"')], status=status, method=method)
        assert (got, error) == (b"", None)
        assert bench.response.headers["ETag"] == '"x"'
    assert bench.subject.inspected == 0
    assert (await bench.get(b""))[1] is None


@pytest.mark.parametrize(
    ("data", "headers", "error"),
    [
        (b"x", [*HTML, ("Content-Encoding", "compress")], ResponseRefused),
        (b"x", [*HTML, ("Content-Encoding", "gzip, br")], ResponseRefused),
        (b"x", [("Content-Type", "text/html; charset=utf-16")], ResponseRefused),
        ("Traceback".encode("utf-16"), HTML, ResponseRefused),
        (gzip.compress(b"x" * 100)[:-12], [*HTML, ("Content-Encoding", "gzip")], BadContent),
        (b"no gzip", [*HTML, ("Content-Encoding", "gzip")], BadContent),
        (gzip.compress(b" " * (32 << 20)), [*HTML, ("Content-Encoding", "gzip")], BadContent),
    ],
    ids=["unknown", "two", "charset", "marked", "cut", "none", "bomb"],
)
async def test_unreadable(data: bytes, headers: Any, error: type[ProxyError]) -> None:
    """S-51, S-66: what cannot be read does not go out unseen."""
    got, raised = await Bench().get(data, headers, step=1000)
    assert (got, type(raised)) == (b"", error)


async def test_parts() -> None:
    """F-109: a part is not looked into as if it were the whole; by default none is asked for."""
    assert type((await Bench().get(b"x", status=206))[1]) is ResponseRefused
    asked = exchange(headers={"Range": "bytes=0-1", "Accept-Encoding": "dcb, gzip"})
    await InspectResponse()(asked, respond(200, b""))
    assert "Range" not in asked.request.headers
    assert asked.request.headers["Accept-Encoding"] == "gzip"


async def test_shadow_asks_as_it_was_asked() -> None:
    """In shadow the request is what it is without the filter."""
    asked = exchange(headers={"Range": "bytes=0-1", "Accept-Encoding": "dcb, gzip"})
    await InspectResponse(shadow=True)(asked, respond(200, b""))
    assert asked.request.headers["Range"] == "bytes=0-1"
    assert asked.request.headers["Accept-Encoding"] == "dcb, gzip"


async def test_several() -> None:
    """Two of them, each with packs of its own, find each its own."""
    inner = InspectResponse(packs.LISTINGS, name="listings", hold=0)
    outer = InspectResponse(*packs.TRACES, name="traces", then=respond(500, b"sorry"))

    async def ask(data: bytes) -> Response:
        async def answer(exchange: Exchange) -> Response:
            return Response(200, HTML, StreamBody(pieces(data, 10)))

        return await outer(exchange(), lambda asked: inner(asked, answer))

    assert (await ask(TRACE)).status == 500
    with pytest.raises(ResponseRefused, match="listings: score 4: listing-01"):
        await ask(b"<title>Index of /x</title>")
    assert b"".join([chunk async for chunk in (await ask(b"<p>fine</p>" * 9)).body]) == b"<p>fine</p>" * 9
    assert (inner.stopped, outer.stopped) == (1, 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 0}, ValueError, "threshold must be a positive integer, got 0"),
        ({"hold": -1}, ValueError, "hold must be an integer of at least 0, got -1"),
        ({"hold": True}, ValueError, "hold must be"),
        ({"paranoia": 5}, ValueError, "paranoia must be 1 to 4, got 5"),
        ({"types": "text/html"}, TypeError, "types must be several"),
        ({"types": ["html"]}, ValueError, "types: 'html' is no media type"),
        ({"then": 1}, TypeError, "then: 1 is not a handler"),
        ({"exclusions": [1]}, TypeError, "exclusions: 1 is not an Exclusion"),
        ({"handling": 1}, TypeError, "handling: 1 is not a Handling"),
        ({"prefilter": "x"}, ValueError, "prefilter must be"),
    ],
)
def test_bad(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """What makes no sense is an error that names the parameter and its value."""
    with pytest.raises(error, match=message):
        InspectResponse(**options)
    with pytest.raises(TypeError, match="packs: 1 is not a LeakPack"):
        InspectResponse(1)  # type: ignore[arg-type]


async def test_repr_and_stop() -> None:
    """It says what it looks for, and tells of what it has counted where it stops."""
    subject = InspectResponse(handling=Handling(ranges="keep"), prefilter="words")
    assert repr(subject).startswith("<InspectResponse 'inspect response' at paranoia 1: stopped 0 of 0 from 4 on")
    assert subject.hold == 65536
    await subject.stop()
