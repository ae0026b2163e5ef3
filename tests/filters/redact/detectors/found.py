"""What a detector finds in a text."""

from __future__ import annotations

from revproxy.filters.redact.detector import Detector
from tests.filters.redact.reference import found_in

__all__ = ["found", "only"]


def found(detector: Detector, text: bytes | str) -> list[bytes]:
    """The secrets of one kind that ``text`` has in it."""
    written = text.encode() if isinstance(text, str) else text
    return [written[start:end] for start, end in found_in(written, detector)]


def only(detector: Detector, text: str) -> bool:
    """Whether what stands between ``[[`` and ``]]`` in ``text`` is found, and nothing else."""
    before, _, rest = text.partition("[[")
    secret, _, after = rest.partition("]]")
    return found(detector, before + secret + after) == [secret.encode()]
