"""Redaction as it streams, and as it is said most simply."""

from __future__ import annotations

from random import Random

import pytest

from revproxy.filters.prefilter import PrefilterName
from revproxy.filters.redact.detectors import ALL
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.formats import format_of
from revproxy.filters.redact.masks import SameLength
from revproxy.filters.redact.parts import reader
from revproxy.media_types import media_type

from .corpus.corpus import lookalikes, secrets
from .corpus.document import Document
from .corpus.held_out import HELD_OUT_PLACES, HELD_OUT_TYPES
from .reference import spans_in

DETECTORS = tuple(each.masked(SameLength()) for each in ALL)
DOCUMENTS = [
    *secrets(2, each=16),
    *secrets(3, each=13, places=HELD_OUT_PLACES, types=HELD_OUT_TYPES),
    *lookalikes(2, each=16),
]
UNLIKE = frozenset({"text/javascript"})
"""Types whose escapes the reference does not undo."""


def expected(document: Document) -> bytes:
    masked = bytearray(document.body)
    for start, end, _ in spans_in(document.body, document.type, ALL):
        masked[start:end] = b"*" * (end - start)
    return bytes(masked)


@pytest.mark.parametrize("prefilter", ["words", "hyperscan"])
def test_whole_and_in_pieces(prefilter: PrefilterName) -> None:
    """With either prefilter, and however it comes, the same of every document of the corpus is masked that a search in
    the whole of it finds; S-65."""
    if prefilter == "hyperscan":
        pytest.importorskip("hyperscan")
    engine = Engine(DETECTORS, prefilter)
    rng = Random(1)
    for document in DOCUMENTS:
        if document.type in UNLIKE:
            continue
        format = format_of(media_type((document.type,)))
        wanted = expected(document)
        assert reader(engine, format, lambda _: None).feed(document.body, last=True) == wanted, document
        one = reader(engine, format, lambda _: None)
        pieces, at = [], 0
        while at < len(document.body):
            size = rng.choice([1, 3, 17, 100, 700])
            pieces.append(one.feed(document.body[at : at + size], last=False))
            at += size
        assert b"".join([*pieces, one.feed(b"", last=True)]) == wanted, document
