"""What the commands have in common: lists of names as options, and words about how far they are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence


def some_of(choices: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """A parser of comma-separated names."""

    def parse(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(","))
        for name in names:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(choices)}")
        return names

    return parse


def progress(words: str) -> None:
    """On one line of the terminal, which the next one replaces; nothing where the output goes elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)
