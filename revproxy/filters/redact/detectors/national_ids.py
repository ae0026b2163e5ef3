"""Numbers that states give to people."""

from __future__ import annotations

import re

from ..detector import Detector
from .pieces import EDGE, NAMES

__all__ = ["NAMED_US_SSN", "US_SSN", "is_us_ssn"]

_NOT_DIGITS = re.compile(rb"[^0-9]+")
_NEVER_GIVEN = frozenset({b"078051120", b"219099999"})
"""What was printed in advertisements, and was withdrawn."""


def is_us_ssn(text: bytes) -> bool:
    """Whether the digits of ``text`` may be a Social Security number: no area of 000, 666 or 900 to 999, no group of 00
    and no serial of 0000 (SSA, since the randomisation of 2011), and none of those that are known to be nobody's."""
    digits = _NOT_DIGITS.sub(b"", text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return (
        len(digits) == 9
        and area not in (b"000", b"666")
        and area < b"900"
        and group != b"00"
        and serial != b"0000"
        and digits not in _NEVER_GIVEN
        and len(set(digits)) > 1
    )


US_SSN = Detector(
    "us-ssn",
    rb"(?=\d{3})"
    + EDGE
    + rb"(?<![0-9][-.])(?<!-)[0-8]\d\d(?:-\d\d-|\xe2\x80\x91\d\d\xe2\x80\x91)\d{4}(?![0-9A-Za-z_-])(?!\.\d)",
    valid=is_us_ssn,
)
"""US Social Security numbers with their hyphens."""

NAMED_US_SSN = Detector(
    "us-ssn-named",
    rb"(?<![A-Za-z])(?:(?:[A-Za-z]{1,16}_)?(?i:ssn)|(?i:social[ _-]?security)|[a-z]{1,16}Ssn|"
    rb"(?i:tax[ _-]?payer[ _-]?id))"
    rb"(?i:[ _-]?(?:number|no|num|nr|id|#)\.?)?(?:[ ]?\(ssn\)|[ ]?\(SSN\))?(?:"
    + NAMES
    + rb"|[ ](?:is|was)[ :]{1,2}|[ ]\#?)"
    rb"(?P<secret>[0-8]\d\d(?:[ .-]?\d\d[ .-]?)\d{4})(?![0-9A-Za-z_])(?!\.\d)",
    valid=is_us_ssn,
)
"""US Social Security numbers with spaces or nothing between their parts, behind a name that tells what they are."""
