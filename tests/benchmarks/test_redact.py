"""The benchmark of redaction, in small; and what of it does not depend on the machine."""

from __future__ import annotations

import json
from random import Random

from .redact import EVERY, SEED, TEXTS, html_text, json_text, table


def test_the_table() -> None:
    """It has a row for each kind of content, and all that was hidden in it was found, with hyperscan and without."""
    drawn = table(60_000, 1)
    assert [row[0] for row in drawn.rows] == list(TEXTS)
    for row in drawn.rows:
        assert int(row[1]) >= 60_000 // EVERY - 1
        assert float(row[2]) > 0
        assert row[5] in ("met", "missed")


def test_what_is_measured() -> None:
    """The contents are the same each time; the one is JSON, and both have about one secret in 10 KiB."""
    for make in (json_text, html_text):
        assert make(50_000, Random(SEED)) == make(50_000, Random(SEED))
    items = json.loads(json_text(50_000, Random(SEED)))
    assert sum("contact" in item for item in items) == 4
