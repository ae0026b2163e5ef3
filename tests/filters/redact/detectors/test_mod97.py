"""The check digits of international bank accounts."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors.mod97 import has_mod97_digits
from tests.filters.redact.corpus.drawing import mod97_digits

COUNTRIES = st.text(string.ascii_uppercase, min_size=2, max_size=2)
RESTS = st.text(string.digits + string.ascii_uppercase, min_size=10, max_size=30)


@given(COUNTRIES, RESTS, st.integers(0, 99))
def test_is_the_rule(country: str, rest: str, check: int) -> None:
    """Of the hundred there are, the two digits that division by hand gives are right (ISO 13616-1)."""
    account = f"{country}{check:02d}{rest}"
    assert has_mod97_digits(account.encode()) == (f"{check:02d}" == mod97_digits(country, rest))


@given(COUNTRIES, RESTS)
def test_either_case(country: str, rest: str) -> None:
    """Small letters count as capitals do."""
    account = country + mod97_digits(country, rest) + rest
    assert has_mod97_digits(account.lower().encode())


@given(COUNTRIES, RESTS, st.data())
def test_one_wrong_character_shows(country: str, rest: str, data: st.DataObject) -> None:
    """An account with one digit wrong is never right."""
    account = country + mod97_digits(country, rest) + rest
    places = [at for at, each in enumerate(account) if each.isdigit()]
    at = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([each for each in string.digits if each != account[at]]))
    assert not has_mod97_digits((account[:at] + other + account[at + 1 :]).encode())
