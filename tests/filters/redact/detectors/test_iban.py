"""How long bank accounts are, by country."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors.iban import DIGITS_ONLY, LENGTHS, is_iban
from tests.filters.redact.corpus.kinds import BBANS


def test_every_country() -> None:
    """The lengths are those of the structures in the registry, for all of its 89 countries that are in both."""
    for country, structure in BBANS.items():
        assert LENGTHS[country.encode()] == 4 + sum(int(part[1:]) for part in structure.split()), country
    assert {country.decode() for country in DIGITS_ONLY} == {
        each for each, structure in BBANS.items() if set(structure) <= set("n0123456789 ")
    }
    assert len(LENGTHS) == 89
    assert set(LENGTHS) == {country.encode() for country in BBANS}


@pytest.mark.parametrize(
    "account",
    [
        b"DE89370400440532013000",
        b"GB82WEST12345698765432",
        b"NO9386011117947",
        b"MT84MALT011000012345MTLCAST001S",
        b"LC55HEMM000100010012001200023015",
        b"FR1420041010050500013M02606",
        b"BR1800360305000010009795493C1",
    ],
)
def test_published(account: bytes) -> None:
    """The examples of the registry are accounts; one character more or less is none."""
    assert is_iban(account)
    assert is_iban(account.lower())
    assert not is_iban(account + b"0")
    assert not is_iban(account[:-1])
    assert not is_iban(b"XX" + account[2:])
