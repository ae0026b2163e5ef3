"""Bank accounts."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors import IBAN

from .found import found, only


@pytest.mark.parametrize(
    "text",
    [
        "[[DE89370400440532013000]]", "IBAN: [[DE89 3704 0044 0532 0130 00]]",
        "[[DE89 3704 0044 0532 0130 00]] BIC COBADEFFXXX", "[[de89370400440532013000]]",
        "[[GB82 WEST 1234 5698 7654 32]].", "[[NO93 8601 1117 947]], [NO]",
        "[[MT84 MALT 0110 0001 2345 MTLC AST0 01S]]",
        "iban=[[FR1420041010050500013M02606]]&bic=X", "iban%3D[[DE89370400440532013000]]%26",
        "[[DE89-3704-0044-0532-0130-00]]", "[[DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000]]",
        "([[BE68 5390 0754 7034]])",
    ],
)  # fmt: skip
def test_found(text: str) -> None:
    """An account is found in groups of four or none, in either case, and ends where its country says."""
    assert only(IBAN, text)


@pytest.mark.parametrize(
    "text",
    [
        "DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000", "ADE89370400440532013000",
        "DE89370400440532013000A", "DE89 37040044 0532013000", "ee90d968-e488-4ae7-a18f-3a8124ff6c1d",
        "De89370400440532013000x", "GB82wEsT12345698765432",
    ],
)  # fmt: skip
def test_not_found(text: str) -> None:
    """What fails its check digits, has another length or other groups, or stands in a word, is none."""
    assert found(IBAN, text) == []
