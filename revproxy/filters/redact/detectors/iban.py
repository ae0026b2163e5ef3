"""How long bank accounts are, by country."""

from __future__ import annotations

from collections.abc import Mapping

from .mod97 import has_mod97_digits

__all__ = ["DIGITS_ONLY", "LENGTHS", "is_iban"]

_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}

LENGTHS: Mapping[bytes, int] = {
    country.encode(): length for length, countries in _BY_LENGTH.items() for country in countries.split()
}
"""Of the accounts of each country, in characters without spaces (SWIFT's IBAN Registry, release 100)."""

DIGITS_ONLY: frozenset[bytes] = frozenset(
    b"""AE AT BA BE BI CR CZ DE DJ DK EE EG ES FI FO GL HR HU IL IS LT LY ME MN MR NO PL PT RS SD SE SI SK SO ST TL TN
    VA XK""".split()
)
"""The countries whose accounts have no letters behind the first two."""


def is_iban(account: bytes) -> bool:
    """Whether ``account`` is one, in ASCII letters of either case and digits, without spaces."""
    if account[:2].upper() in DIGITS_ONLY and not account[2:].isdigit():
        return False
    return LENGTHS.get(account[:2].upper()) == len(account) and has_mod97_digits(account)
