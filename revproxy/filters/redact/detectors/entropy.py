"""Whether a text was drawn at random, as keys are, or written by somebody."""

from __future__ import annotations

import re
from collections import Counter
from math import log2
from operator import add

__all__ = ["bits", "is_drawn", "spelt"]

_PAIRS = """th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi
ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so
rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu
ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef rn
sc gi da yo cr cl du ga qu ue ff ey va um ck ew br pu ui ub ud mb ak ok ib"""
_COMMON = frozenset(_PAIRS.split())
"""The pairs of letters that English words are mostly made of; about three in ten of those that there are."""

_RUNS = re.compile(rb"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_LETTER = re.compile(rb"[A-Za-z]")
_ONLY_LETTERS = re.compile(rb"(?:[a-z]+|[A-Z]+)")
_STAMP = re.compile(rb"\d{4}-\d\d-\d\d[T ]|\d{1,4}[./]\d{1,4}[./]\d|v?\d+\.\d+")
_ADDRESS = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]{1,15}://|(?:\.{1,2}|~)?/[a-z][a-z._-]{1,30}/|arn:|urn:|[A-Za-z]:\\|[\w.+-]+@[\w-]+\."
)
_NAMES = re.compile(rb"[A-Za-z_$][A-Za-z_$]{0,20}[0-9]{0,2}(?:(?:\.|::|->|/)[A-Za-z_$][A-Za-z_$]{0,24}[0-9]{0,2}){1,8}")
_NUMBERS = re.compile(rb"[0-9]+")
_PIECES = re.compile(rb"[A-Za-z0-9]{6,}")
_FEW = 2.5
"""Bits a character of the least random that counts: 16 hexadecimal digits have 3.3 on average."""


def bits(text: bytes) -> float:
    """Shannon's entropy of the bytes of ``text``, in bits each: of what was drawn from 16 that are equally likely it
    nears 4, of 64 that are 6, from below, as the text is short."""
    if not text:
        return 0.0
    return -sum(count / len(text) * log2(count / len(text)) for count in Counter(text).values())


def spelt(text: bytes) -> float:
    """Which part of ``text`` are words, as far as pairs of letters tell: 0 to 1."""
    if not text:
        return 0.0
    runs = Counter(_RUNS.findall(text))
    return sum(len(run) * count for run, count in runs.items() if _is_word(run)) / len(text)


def _is_word(run: bytes) -> bool:
    lowered = run.decode("ascii").lower()
    common = sum(map(_COMMON.__contains__, map(add, lowered, lowered[1:])))
    return common * 2 > len(lowered) - 1


def is_drawn(text: bytes) -> bool:
    """Whether ``text`` looks as if a machine had drawn it: letters, and digits or capitals among them, in pieces of at
    least six, with hardly a word and hardly a repetition. Versions, dates, paths, addresses and names of members are
    written, and so is what is only digits, and a word with a number."""
    if _STAMP.match(text) or _ADDRESS.match(text) or _NAMES.fullmatch(text) or bits(text) < _FEW:
        return False
    words = spelt(text)
    if words * len(text) + 2 > len(_LETTER.findall(text)):
        return False
    if _ONLY_LETTERS.fullmatch(text):
        return words < 0.3 and len(text) >= 16
    if text.isalnum() and len(text) >= 20 and len(_NUMBERS.findall(text)) > 2:
        return words < 0.75  # nobody writes numbers into words so often
    return words < 0.5 and any(spelt(piece) < 0.5 for piece in _PIECES.findall(text))
