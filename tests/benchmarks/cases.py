"""What is asked of every subject, and the bytes that answer it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the request has besides."""
    unit: str = "request"
    """What processor time is divided by."""
    rate: str = "req/s"
    """The same, by the second."""

    @property
    def by_bytes(self) -> bool:
        """Whether to count the work done by bytes instead of ended responses: where only few of them fit into a round,
        those that were under way at its end would be too large a part of it."""
        return self.size >= MIB and not self.upload


BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
    "Referer": "http://www.example.com/catalogue/lamps?sort=price&page=2",
    "Cookie": "session=5f2b9c41d07e8a63; theme=dark; _ga=GA1.2.1731005263.1718027354",
}
"""With ``Host``, which every request has, six fields and a cookie."""

CASES = (
    Case("small", "44 B response", "/small.txt", 44, connections=32),
    Case("medium", "64 KiB response", "/medium.bin", 64 * KIB, connections=32),
    Case("large", "10 MiB response", "/large.bin", 10 * MIB, connections=8),
    Case("upload", "1 MiB upload", "/upload", MIB, connections=8, upload=True),
    Case("browser", "a browser's GET", "/small.txt?page=2&sort=price", 44, connections=32, fields=BROWSER),
    Case(
        "json",
        "16 KiB of JSON",
        "/upload",
        16 * KIB,
        connections=32,
        upload=True,
        fields={**BROWSER, "Content-Type": "application/json"},
    ),
)


@cache
def body_of(case: Case) -> bytes:
    """The bytes of a response (or of an upload): no two runs differ, and nothing compresses them."""
    if case.path.startswith("/small.txt"):
        return b"The quick brown fox jumps over the lazy dog\n"
    if case.name == "json":
        return _orders(case.size)
    return random.Random(case.name).randbytes(case.size)


def _orders(size: int) -> bytes:
    """So many bytes of JSON, as an application sends it: names, sentences, numbers, dates."""
    chance = random.Random("json")
    note = "the lamp that we ordered last week came without its shade and is not what the picture had shown"
    words = note.split()
    names = ("Ada King", "Tom Brown", "Zoë Martin", "Li Wei", "Jane O'Connor", "Max Weber", "Ana Costa", "Ken Ito")
    orders: list[dict[str, object]] = []
    while len(text := json.dumps({"orders": orders}).encode()) <= size - 400:
        orders.append(
            {
                "id": f"{chance.getrandbits(64):016x}",
                "customer": {
                    "name": chance.choice(names),
                    "email": "a@example.com",
                    "address": "12 High Street, Leeds",
                },
                "items": [
                    {"sku": f"LMP-{chance.randrange(1000)}", "price": chance.randrange(10000) / 100, "gift": False}
                ],
                "note": " ".join(chance.choices(words, k=20)),
                "placed": "2026-03-01T12:30:00+01:00",
            }
        )
    return text + b" " * (size - len(text))


def content_type_of(case: Case) -> str:
    return "text/plain" if case.path.startswith("/small.txt") else "application/octet-stream"
