"""Where the secrets are in a part of a text."""

from __future__ import annotations

import pytest

from revproxy.errors import InternalError
from revproxy.filters.redact import Detector
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.spelling import JSON

from .corpus.corpus import SEED, lookalikes, secrets
from .samples import CARD, MAIL, TOKEN, WORD

BADGE = Detector("badge", rb"B-\d{6}")


def test_reach() -> None:
    """What has to be held back is what the widest of the detectors looks at."""
    assert Engine([BADGE]).reach == 8
    assert Engine([BADGE, MAIL]).reach == MAIL.longest + MAIL.ahead
    assert Engine([Detector("x", rb"(?<=a{90})b")]).behind == 90


def test_certain() -> None:
    """What might still change is not said: neither a match that may be longer, nor one that what follows forbids."""
    detector = Detector("id", rb"id\d{2,4}(?!x)")
    for prefilter in ("hyperscan", "words"):
        engine = Engine([detector], prefilter)
        assert engine.find(b"id12", 0, {}, last=False) == []
        assert engine.find(b"id1234", 0, {}, last=False) == []
        [found] = engine.find(b"id1234.", 0, {}, last=False)
        assert (found.start, found.end, found.value) == (0, 6, b"id1234")
        assert len(engine.find(b"id12", 0, {}, last=True)) == 1


def test_goes_on_behind_a_secret() -> None:
    """The next search of a detector begins where its last secret ended, and where all are certain."""
    nexts: dict[int, int] = {}
    engine = Engine([BADGE, TOKEN])
    [found] = engine.find(b"eyJabcd.xyz B-12", 0, nexts, last=True)
    assert nexts == {1: 11}
    assert not found.open
    [found] = engine.find(b"eyJabcd." + b"x" * 600, 0, nexts := {}, last=False)
    assert found.open
    assert nexts == {1: 608}
    assert repr(found) == "<Secret token at 0 to 608>"
    engine.extend(found, b"eyJabcd." + b"x" * 700 + b" ", nexts, last=False)
    assert (found.open, nexts, found.end) == (False, {1: 708}, 708)


def test_suspects() -> None:
    """With hyperscan it is known where in the text a match may begin; without, nowhere is ruled out."""
    reading = JSON.read(b'{"a": "x\\u0042-123456"}', last=True)
    assert Engine([BADGE], "hyperscan").suspects(reading) == [(8, 14)]
    assert Engine([CARD], "words").suspects(reading) is None
    assert Engine([BADGE], "words").suspects(JSON.read(b"{}", last=True)) == []


def test_a_detector_that_raises() -> None:
    """S-72: where one fails, it is said which one, and not at what."""

    def broken(secret: bytes) -> bool:
        raise ValueError(f"cannot be: {secret!r}")

    for detector in (
        Detector("badge", rb"B-\d{6}", valid=broken),
        Detector.of_function("badge", lambda text, place: (0, 10**6), longest=3),
    ):
        for prefilter in ("hyperscan", "words"):
            with pytest.raises(InternalError, match=r"^detector badge failed: ValueError$") as raised:
                Engine([detector], prefilter).find(b" B-123456 ", 0, {}, last=True)
            assert raised.value.__cause__ is None
            assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("detectors", "error", "what"),
    [
        ([], ValueError, "detectors: there must be one"),
        ([BADGE, BADGE], ValueError, "detectors: two of the name 'badge'"),
        ([BADGE, b"x"], TypeError, "detectors: b'x' is not a Detector"),
    ],
    ids=range(3),
)
def test_bad_detectors(detectors: list[Detector], error: type[Exception], what: str) -> None:
    """None, two alike, and what is none, are refused."""
    with pytest.raises(error, match=what):
        Engine(detectors)


def test_with_and_without_hyperscan() -> None:
    """On the corpus, and with all that there is, both find the same."""
    from revproxy.filters.redact.detectors import ALL

    engines = [Engine((*ALL, WORD), "hyperscan"), Engine((*ALL, WORD), "words")]
    for document in (*secrets(SEED)[1::4], *lookalikes(SEED)[1::4]):
        found = [
            sorted((each.order, each.value) for each in engine.find(document.body, 0, {}, last=True))
            for engine in engines
        ]
        assert found[0] == found[1]
