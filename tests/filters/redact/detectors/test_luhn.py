"""The check digit of payment cards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors.luhn import has_luhn_digit
from tests.filters.redact.corpus.drawing import luhn_digit

DIGITS = st.text("0123456789", min_size=1, max_size=20)


def by_hand(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += sum(map(int, str(int(digit) * (2 if place % 2 else 1))))
    return total % 10 == 0


@given(DIGITS)
def test_is_the_rule(digits: str) -> None:
    """It says what the rule says that is worked through by hand (ISO/IEC 7812-1, annex B)."""
    assert has_luhn_digit(digits.encode()) == by_hand(digits)


@given(DIGITS)
def test_one_digit_of_ten(digits: str) -> None:
    """Behind any digits, exactly one of the ten is right."""
    right = [each for each in "0123456789" if has_luhn_digit((digits + each).encode())]
    assert right == [luhn_digit(digits)]


@given(DIGITS, st.data())
def test_one_wrong_digit_shows(digits: str, data: st.DataObject) -> None:
    """A number with one digit wrong is never right."""
    number = digits + luhn_digit(digits)
    at = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([each for each in "0123456789" if each != number[at]]))
    assert not has_luhn_digit((number[:at] + other + number[at + 1 :]).encode())
