"""What redaction does to a content, piece by piece."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given

from revproxy.errors import InternalError, ResponseRefused
from revproxy.filters.redact import Detector, SameLength
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.formats import Format, format_of
from revproxy.filters.redact.spelling import MARKUP
from revproxy.filters.redact.tally import Tally
from revproxy.filters.redact.transform import Redaction, Refusal, Shadow
from revproxy.media_types import media_type

from .corpus.corpus import SEED, lookalikes, secrets
from .reference import spans_in
from .samples import CARD, DETECTORS, cut, pieces_of

ENGINE = Engine(DETECTORS)
PLAIN = Format(MARKUP)


def ignored(detector: Detector) -> None:
    """Of no interest."""


def tally() -> Tally:
    return Tally(lambda found: None, "it")


@given(drawn=cut())
def test_shadow_changes_nothing(drawn: tuple[bytes, list[int]]) -> None:
    """In shadow each piece comes out as it went in, at once; what is counted is what would be masked."""
    text, cuts = drawn
    names: list[str] = []
    shadow = Shadow(ENGINE, PLAIN, lambda detector: names.append(detector.name), tally())
    for piece in pieces_of(text, cuts):
        assert shadow.feed(piece) is piece
    assert shadow.finish() == b""
    others: list[str] = []
    redaction = Redaction(ENGINE, PLAIN, lambda detector: others.append(detector.name), tally())
    redaction.feed(text)
    redaction.finish()
    assert names == others


@given(drawn=cut())
def test_nothing_of_a_secret_goes_out_before_a_refusal(drawn: tuple[bytes, list[int]]) -> None:
    """S-65: what is refused is refused before the first byte of the first secret has gone out, however it is cut; and
    what has none comes out as it was."""
    text, cuts = drawn
    masked = Redaction(ENGINE, PLAIN, ignored, tally())
    first = None
    out = masked.feed(text) + masked.finish()
    refusal = Refusal(ENGINE, PLAIN, ignored, tally())
    gone = b""
    try:
        for piece in pieces_of(text, cuts):
            gone += refusal.feed(piece)
        gone += refusal.finish()
    except ResponseRefused as error:
        first = str(error)
    assert text.startswith(gone)
    if first is None:
        assert gone == text == out
    else:
        assert out.startswith(gone)
        assert first.startswith("a secret in its content (")


def test_a_large_piece() -> None:
    """F-109: what comes at once is taken in portions, so that a body in memory needs no more than one that streams."""
    text = (b"x" * 1000 + b" a@b.com ") * 300
    whole = Redaction(ENGINE, PLAIN, ignored, tally())
    pieces = Redaction(ENGINE, PLAIN, ignored, tally())
    step = 777
    apart = b"".join(pieces.feed(text[at : at + step]) for at in range(0, len(text), step)) + pieces.finish()
    assert whole.feed(text) + whole.finish() == apart
    assert apart.count(b"tok-") == 300


def test_a_detector_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """It fails closed; in shadow the rest goes by unseen, and the log says so."""

    def broken(secret: bytes) -> bool:
        raise RuntimeError("cannot")

    engine = Engine([Detector("badge", rb"B-\d{6}", valid=broken)])
    for kind in (Redaction, Refusal):
        with pytest.raises(InternalError, match="detector badge failed: RuntimeError"):
            kind(engine, PLAIN, ignored, tally()).feed(b"B-123456 and more")
        late = kind(engine, PLAIN, ignored, tally())
        late.feed(b"B-12345")
        late.feed(b"")
        with pytest.raises(InternalError):
            late.feed(b"6" * 20)
    for text in (b"B-123456 and more", b"B-123456"):
        shadow = Shadow(engine, PLAIN, ignored, tally())
        assert shadow.feed(text) + shadow.feed(b"!") == text + b"!"
        assert shadow.finish() == b""
    assert caplog.text.count("detector badge failed: RuntimeError; the response goes on") == 2
    assert "B-12" not in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.parametrize("which", ["secrets", "look-alikes"])
def test_as_simply_as_it_can_be_said(which: str) -> None:
    """S-64, S-65: of the whole corpus, with all detectors, exactly those bytes are masked which the plainest program
    finds: the text at once, what it means worked out letter by letter, every detector everywhere."""
    from revproxy.filters.redact.detectors import ALL

    engine = Engine([each.masked(SameLength()) for each in ALL])
    for document in secrets(SEED)[::2] if which == "secrets" else lookalikes(SEED)[::2]:
        body = document.body
        expected = bytearray(body)
        for start, end, _ in spans_in(body, document.type, ALL):
            expected[start:end] = b"*" * (end - start)
        format = format_of(media_type([document.type]))
        redaction = Redaction(engine, format, ignored, tally())
        out = redaction.feed(body[:100]) + redaction.feed(body[100:]) + redaction.finish()
        # A number of JSON becomes one of nines.
        assert len(out) == len(body)
        for now, then, was in zip(out, expected, body, strict=True):
            assert now == then or (then == ord("*") and now == ord("9")), (document, out)
            assert now == was or now in b"*9"


def test_repr() -> None:
    """It shows how much is held."""
    redaction = Redaction(Engine([CARD]), PLAIN, ignored, tally())
    redaction.feed(b"abc")
    assert repr(redaction) == "<Redaction: <Unit of markup: 3 bytes held>>"
