"""What is asked of every subject, and the bytes that answer it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request, sent over and over."""

    name: str
    title: str
    path: str
    size: int
    """Bytes of the body that counts: the response's, or the upload's."""
    connections: int
    upload: bool = False
    unit: str = "request"
    """What processor time is divided by."""
    rate: str = "req/s"
    """The same, by the second."""

    @property
    def by_bytes(self) -> bool:
        """Whether to count the work done by bytes instead of ended responses: where only few of them fit into a round,
        those that were under way at its end would be too large a part of it."""
        return self.size >= MIB and not self.upload


CASES = (
    Case("small", "44 B response", "/small.txt", 44, connections=32),
    Case("medium", "64 KiB response", "/medium.bin", 64 * KIB, connections=32),
    Case("large", "10 MiB response", "/large.bin", 10 * MIB, connections=8),
    Case("upload", "1 MiB upload", "/upload", MIB, connections=8, upload=True),
)


@cache
def body_of(case: Case) -> bytes:
    """The bytes of a response (or of an upload): no two runs differ, and nothing compresses them."""
    if case.name == "small":
        return b"The quick brown fox jumps over the lazy dog\n"
    return random.Random(case.name).randbytes(case.size)


def content_type_of(case: Case) -> str:
    return "text/plain" if case.name == "small" else "application/octet-stream"
