"""What inspection has found in a request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...exchange import Key
from ...security_log import Severity

__all__ = ["INSPECTION", "SCORES", "Finding", "Inspection", "redacted"]

SCORES = {Severity.CRITICAL: 5, Severity.ERROR: 4, Severity.WARNING: 3, Severity.NOTICE: 2}
"""What a finding adds to the anomaly score, as in the OWASP Core Rule Set."""

_MOST = 48
_ORDINARY = re.compile(r"[\w.@\[\]-]{1,64}")
_DIGITS = re.compile(r"[0-9]")
_LETTERS = re.compile(r"[a-z]")


@dataclass(frozen=True, slots=True)
class Finding:
    """A signature, or a check, that was found.

    ``part``, ``name``
        Where: ``"value"``, ``"cookie"``; and the name of the parameter, field or cookie. Empty for a check.
    ``matched``
        The shape of what was found, see ``redacted``; of a check, what it says.
    """

    id: str
    about: str
    severity: Severity
    part: str
    name: str
    matched: str

    def __str__(self) -> str:
        # What is no ordinary name may be a body that was taken for one, secrets and all.
        name = self.name if _ORDINARY.fullmatch(self.name) is not None else redacted(self.name.lower())
        where = f" in {self.part} {name!a}" if name else f" in {self.part}" if self.part else ""
        return f"{self.id} ({self.about}){where}: {self.matched}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a request, the gravest first, and the sum of its ``score``."""

    score: int
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """That of the gravest finding; ``NOTICE`` if there is none."""
        return max((each.severity for each in self.findings), default=Severity.NOTICE)

    def __str__(self) -> str:
        said = "; ".join(map(str, self.findings[:3]))
        more = f"; {len(self.findings) - 3} more" if len(self.findings) > 3 else ""
        return f"score {self.score}: {said}{more}"


INSPECTION: Key[Inspection] = Key("inspection")
"""What ``Inspect`` has found; there also where it is nothing."""


def redacted(matched: str) -> str:
    """The shape of ``matched``: ``x`` for every letter, ``9`` for every digit, all else as it is; so that who reads a
    log sees the quotes and brackets that made it suspicious, and nobody's password."""
    shape = _DIGITS.sub("9", _LETTERS.sub("x", matched[:_MOST]))
    return f"{shape}..." if len(matched) > _MOST else shape
