"""The command ``python -m tests.benchmarks.redact``: what it costs to look for secrets in what responses say.

JSON and HTML of ordinary content, drawn with a seed, with one secret in 10 KiB, in pieces of 64 KiB, through all
detectors; as hyperscan says where they can match at all, and by words. Figures are megabytes for a second of one core's
time, the best of several rounds, and the ratio of the two in this run. What comes out is compared, byte by byte.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from random import Random

from revproxy.filters.prefilter import PrefilterName
from revproxy.filters.redact.detectors import ALL
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.formats import format_of
from revproxy.filters.redact.parts import reader
from revproxy.media_types import media_type

from .table import Table

SEED = 20
EVERY = 10240
PIECE = 65536
TARGET, TIMES = 100.0, 5.0
TEXT = (
    "the of and to in is that for it was with be by on not his but at are this have from or had an which one you were "
    "all her she there would their been has when who will no more out so said what its about than into them can only "
    "other time new some could these two may first then any like my now over such our man even most made after also "
    "many off before must well back through years where much your way down should because each people those just mr"
)
WORDS = TEXT.split()


def secret(chance: Random) -> str:
    """One of several kinds."""
    digits = chance.randint
    return chance.choice(
        (
            f"{''.join(chance.choices('abcdefghij', k=8))}@example.com",
            "4111 1111 1111 1111",
            f"AKIA{''.join(chance.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', k=16))}",
            "GB82 WEST 1234 5698 7654 32",
            f"10.2.{digits(0, 255)}.{digits(1, 254)}",
            f"postgres://app:s3cr{digits(10, 99)}tpw@db.example.com/app",
        )
    )


def _sentence(chance: Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count))


def json_text(size: int, chance: Random) -> bytes:
    """A list of items, as an API has them."""

    def items() -> Iterator[str]:
        while True:
            item = {
                "id": chance.randint(1, 10**9),
                "name": _sentence(chance, 2).title(),
                "created": f"2024-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}T0{chance.randint(0, 9)}:00:00Z",
                "price": round(chance.random() * 1000, 2),
                "uuid": f"{chance.getrandbits(32):08x}-{chance.getrandbits(16):04x}-4{chance.getrandbits(12):03x}"
                f"-a{chance.getrandbits(12):03x}-{chance.getrandbits(48):012x}",
                "text": _sentence(chance, 25),
                "active": chance.random() < 0.5,
                "url": f"https://example.com/items/{chance.randint(1, 9999)}?page=1",
                "note": 'He said "hi"\n' if chance.random() < 0.1 else "ok",
            }
            yield json.dumps(item)

    return b"[" + _with_secrets(items(), size, chance, '{{"contact": "{}"}}', ", ") + b"]"


def html_text(size: int, chance: Random) -> bytes:
    """A page with a list."""

    def items() -> Iterator[str]:
        while True:
            yield (
                f'<div class="card col-{chance.randint(1, 9)}" id="n{chance.randint(1, 99999)}">'
                f'<a href="/items/{chance.randint(1, 9999)}?a=1&amp;b=2" title="{_sentence(chance, 3)}">'
                f"{_sentence(chance, 5)}</a><p>{_sentence(chance, 30)}&nbsp;&mdash; {_sentence(chance, 20)}</p></div>"
            )

    return b"<!doctype html><title>List</title>\n" + _with_secrets(items(), size, chance, "<p>Contact: {}</p>", "\n")


def _with_secrets(items: Iterator[str], size: int, chance: Random, form: str, between: str) -> bytes:
    parts: list[str] = []
    long, due = 0, EVERY
    while long < size:
        part = next(items)
        if long >= due:
            part, due = form.format(secret(chance)), due + EVERY
        parts.append(part)
        long += len(part) + len(between)
    return between.join(parts).encode()


TEXTS: dict[str, tuple[str, Callable[[int, Random], bytes]]] = {
    "JSON": ("application/json", json_text),
    "HTML": ("text/html", html_text),
}


def run(engine: Engine, type: str, text: bytes) -> tuple[float, bytes, int]:
    """How many seconds it takes, what comes out, and how much was found."""
    found = [0]

    def noted(detector: object) -> None:
        found[0] += 1

    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    begun = time.process_time()
    parts = reader(engine, format_of(media_type([type])), noted)
    out = [parts.feed(piece, last=False) for piece in pieces]
    out.append(parts.feed(b"", last=True))
    return time.process_time() - begun, b"".join(out), found[0]


def table(size: int, rounds: int) -> Table:
    """A row for each kind of text. Raises ``AssertionError`` where the two do not give the same bytes."""
    names: tuple[PrefilterName, PrefilterName] = ("hyperscan", "words")
    engines = {name: Engine(ALL, name) for name in names}
    drawn = Table(
        f"Redaction with all {len(ALL)} detectors, one secret in {EVERY // 1024} KiB",
        [
            "Content",
            "found",
            "hyperscan, MB/s",
            "words, MB/s",
            "times",
            f"at least {TARGET:.0f} MB/s, {TIMES:.0f} times",
        ],
    )
    for title, (type, make) in TEXTS.items():
        text = make(size, Random(SEED))
        seconds = {name: float("inf") for name in names}
        came: dict[str, tuple[bytes, int]] = {}
        for _ in range(rounds):
            for name, engine in engines.items():
                took, out, found = run(engine, type, text)
                seconds[name] = min(seconds[name], took)
                came[name] = out, found
        assert came["hyperscan"] == came["words"]
        fast, slow = (len(text) / 1e6 / seconds[name] for name in names)
        met = "met" if fast >= TARGET and fast >= TIMES * slow else "missed"
        found = came["words"][1]
        drawn.rows.append([title, str(found), f"{fast:.0f}", f"{slow:.1f}", f"{fast / slow:.1f}", met])
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.redact", description="What redaction costs.")
    parser.add_argument("--size", type=int, default=4 << 20, help="bytes of each content (default 4 MiB)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (default 3)")
    parser.add_argument("--markdown", action="store_true", help="as a table for a page")
    options = parser.parse_args()
    made = table(options.size, options.rounds)
    print(made.markdown() if options.markdown else made.text())
