"""Bank accounts."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..detector import Detector
from .iban import DIGITS_ONLY, LENGTHS, is_iban
from .pieces import EDGE, SPACE

__all__ = ["IBAN"]

_NOT_OF_IT = re.compile(rb"[^0-9A-Za-z]+")
_GROUPED = re.compile(rb"[0-9A-Za-z]+|(?:[0-9A-Za-z]{4}[^0-9A-Za-z]+)*[0-9A-Za-z]{1,4}")


def _accounts(countries: Collection[bytes], length: int, character: bytes) -> bytes:
    """The accounts of one length, in groups of four or not."""
    either_case = b"|".join(sorted({*countries, *(country.lower() for country in countries)}))
    groups, rest = divmod(length - 4, 4)
    group = SPACE + b"?" + character
    last = group + rb"{%d}" % rest if rest else b""
    return rb"(?:" + either_case + rb")\d\d" + (group + rb"{4}") * groups + last + rb"(?![0-9A-Za-z])"


def _pattern() -> bytes:
    branches = []
    for length in sorted(set(LENGTHS.values())):
        countries = {country for country, of_country in LENGTHS.items() if of_country == length}
        for some, character in ((countries & DIGITS_ONLY, rb"\d"), (countries - DIGITS_ONLY, rb"[0-9A-Za-z]")):
            if some:
                branches.append(_accounts(some, length, character))
    # What every account begins with is looked for first: that is soon said of a place, and much else is not.
    return rb"(?=[A-Za-z]{2}\d\d)" + EDGE + rb"(?:" + b"|".join(branches) + rb")"


def _is_account(text: bytes) -> bool:
    if len(set(_NOT_OF_IT.findall(text))) > 1 or not _GROUPED.fullmatch(text):
        return False
    account = _NOT_OF_IT.sub(b"", text)
    return is_iban(account) and (account[4:].isupper() or account[4:].islower() or account[4:].isdigit())


IBAN = Detector(
    "iban",
    _pattern(),
    valid=_is_account,
)
"""International bank account numbers, in groups of four or not, in capital or small letters, by the length that their
country has and their check digits (mod 97)."""
