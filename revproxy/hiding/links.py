"""URLs within the values of fields: ``Link`` and ``Refresh``."""

from __future__ import annotations

import re

from .translation import Translation

__all__ = ["link", "refresh"]

_PIECE = re.compile(r'<([^<>"]*)>|"(?:[^"\\]|\\.)*+"|[^<>"]++')
_ANCHOR = re.compile(r";[ \t]*anchor[ \t]*=[ \t]*\Z", re.IGNORECASE)
_REFRESH = re.compile(
    r"""([0-9.]+[ \t]*(?:[;,][ \t]*|(?<=[ \t]))(?:url[ \t]*=[ \t]*)?)(?:(['"])(.*?)((?:\2.*)?)|((?!['"]).*))""",
    re.IGNORECASE,
)


def link(value: str, translation: Translation) -> str | None:
    """``value`` of ``Link`` (RFC 8288 section 3) with its targets translated, and what they are said to be links of
    (``anchor``); all else as it is. ``None``: it cannot be said."""
    said: list[str] = []
    outside: list[str] = []
    at = 0
    while at < len(value):
        found = _PIECE.match(value, at)
        if found is None:
            return translation.odd(value)
        at = found.end()
        piece, target = found[0], found[1]
        begin, end = "<", ">"
        if target is None and piece[0] == '"' and said and _ANCHOR.search(said[-1]) is not None:
            if "\\" in piece:  # escapes, which no URL needs
                return translation.odd(value)
            begin = end = '"'
            target = piece[1:-1]
        if target is None:
            if "//" in piece and piece[0] != '"':
                outside.append(piece)
            said.append(piece)
            continue
        bare = target.strip(" \t")
        url = translation.url(bare)
        if url is None:
            return None
        said.append(piece if url == bare else f"{begin}{url}{end}")
    if outside and translation.odd(" ".join(outside)) is None:
        return None
    return "".join(said)


def refresh(value: str, translation: Translation) -> str | None:
    """``value`` of ``Refresh`` (HTML section 4.2.5.3: seconds, and perhaps a URL, in quotes or not) with the URL
    translated. ``None``: it cannot be said."""
    found = _REFRESH.fullmatch(value)
    if found is None:
        return translation.odd(value)
    before, quote, quoted, after, bare = found.groups()
    target = bare if quote is None else quoted
    url = translation.url(target)
    if url is None or url == target:
        return url and value
    if quote is not None:
        return f"{before}{quote}{url.replace(quote, '%27' if quote == chr(39) else '%22')}{after}"
    return before + url
