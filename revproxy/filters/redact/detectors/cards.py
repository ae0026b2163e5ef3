"""Payment cards."""

from __future__ import annotations

import re
from bisect import bisect_right

from ..detector import Detector
from .luhn import has_luhn_digit
from .pieces import EDGE, END, SPACE

__all__ = ["LONG_PAYMENT_CARD", "PAYMENT_CARD", "network_of"]

_ISSUERS: tuple[tuple[int, int, str, tuple[int, ...]], ...] = (
    # From and to, by the first six digits; the network; how many digits its numbers have.
    (220000, 220499, "Mir", (16, 17, 18, 19)),
    (222100, 272099, "Mastercard", (16,)),
    (300000, 305999, "Diners Club", (14, 16)),
    (309500, 309599, "Diners Club", (14, 16)),
    (340000, 349999, "American Express", (15,)),
    (352800, 358999, "JCB", (16,)),
    (360000, 369999, "Diners Club", (14, 16)),
    (370000, 379999, "American Express", (15,)),
    (380000, 399999, "Diners Club", (14, 16)),
    (400000, 499999, "Visa", (16,)),
    (500000, 501799, "Maestro", (16,)),
    (501800, 501899, "Maestro", (16, 17, 18, 19)),
    (501900, 501999, "Dankort", (16,)),
    (502000, 502099, "Maestro", (16, 17, 18, 19)),
    (502100, 503799, "Maestro", (16,)),
    (503800, 503899, "Maestro", (16, 17, 18, 19)),
    (503900, 509999, "Maestro", (16,)),
    (510000, 559999, "Mastercard", (16,)),
    (560000, 588999, "Maestro", (16,)),
    (589000, 589399, "Maestro", (16, 17, 18, 19)),
    (589400, 589999, "Maestro", (16,)),
    (601100, 601199, "Discover", (16,)),
    (606282, 606282, "Hipercard", (16,)),
    (608000, 608999, "RuPay", (16,)),
    (620000, 629999, "UnionPay", (16, 17, 18, 19)),
    (630400, 630499, "Maestro", (16, 17, 18, 19)),
    (636000, 636999, "InterPayment", (16, 17, 18, 19)),
    (637000, 639999, "InstaPayment", (16,)),
    (644000, 659999, "Discover", (16,)),
    (675900, 676399, "Maestro", (16, 17, 18, 19)),
    (677000, 677999, "Maestro", (16, 17, 18, 19)),
    (810000, 829999, "UnionPay", (16, 17, 18, 19)),
    (979200, 979299, "Troy", (16,)),
)
_BEGINNINGS = [issuer[0] for issuer in _ISSUERS]
_NOT_DIGITS = re.compile(rb"[^0-9]+")


def network_of(digits: bytes) -> str | None:
    """The network whose cards begin as ``digits`` do, and are of that length (ISO/IEC 7812-1, and what the networks say
    of their ranges). ``None``: none that cards have in practice; Visa's of 13 digits are no longer issued, and bar
    codes look like them."""
    number = int(digits[:6])
    at = bisect_right(_BEGINNINGS, number) - 1
    if at < 0:
        return None
    _, last, network, lengths = _ISSUERS[at]
    return network if number <= last and len(digits) in lengths else None


def _is_card(text: bytes) -> bool:
    between = _NOT_DIGITS.findall(text)
    if len(set(between)) > 1:
        return False
    parts = tuple(map(len, _NOT_DIGITS.split(text)))
    digits = _NOT_DIGITS.sub(b"", text)
    grouped = len(parts) == 1 or parts in _GROUPS
    return grouped and network_of(digits) is not None and has_luhn_digit(digits) and len(set(digits)) > 1


_GROUPS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (6, 13)})
"""As cards show them."""

_BEFORE = (
    rb"(?=\d{4})" + EDGE + rb"(?<!\d\.)(?<![A-Za-z]{2}\d\d[ -])(?<![A-Za-z]{2}\d\d[ -]\d{4}[ -])"
    rb"(?<![A-Za-z]{2}\d\d[ -]\d{4}[ -]\d{4}[ -])"
)
"""Not a fraction, and not one of the first groups of an IBAN."""

_BEHIND = END + rb"(?!\.(?!0(?!\d))\d)"
"""Not a number with a fraction, unless it is one of the zeros that tables of numbers add."""

PAYMENT_CARD = Detector(
    "payment-card",
    _BEFORE + rb"(?:[2-69]\d{3}(?:" + SPACE + rb"\d{4}){3}|3\d{3}" + SPACE + rb"\d{6}" + SPACE + rb"\d{4}\d?"
    rb"|[2-69]\d{13,15}|8[12]\d\d(?:" + SPACE + rb"\d{4}){3}|8[12]\d{14})" + _BEHIND,
    valid=_is_card,
)
"""Card numbers of up to 16 digits of the networks in use, in the groups that cards show or none, by their first digits
(IIN), length and Luhn digit."""

LONG_PAYMENT_CARD = Detector(
    "payment-card-long",
    _BEFORE
    + rb"(?:[2568]\d{3}(?:"
    + SPACE
    + rb"\d{4}){3}"
    + SPACE
    + rb"\d{1,3}|(?:6\d{5}|8[12]\d{4})"
    + SPACE
    + rb"\d{13}"
    rb"|[2568]\d{16,18})" + _BEHIND,
    valid=_is_card,
)
"""Card numbers of 17 to 19 digits, which UnionPay, Maestro and Mir have."""
