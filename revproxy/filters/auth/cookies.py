"""Cookies that are not passed on."""

from __future__ import annotations

from multidict import CIMultiDict, istr

__all__ = ["without_cookie"]

_COOKIE = istr("Cookie")


def without_cookie(headers: CIMultiDict[str], name: str) -> None:
    """Take every cookie of that ``name`` out of ``headers``, and leave the others as they are."""
    lines = headers.getall(_COOKIE, ())
    kept = [
        "; ".join(pair.strip(" \t") for pair in line.split(";") if pair.partition("=")[0].strip(" \t") != name)
        for line in lines
    ]
    if kept != list(lines):
        headers.popall(_COOKIE)
        for line in kept:
            if line:
                headers.add(_COOKIE, line)
