"""What a regular expression may cost, as far as its text shows."""

from __future__ import annotations

import re

__all__ = ["check_cost", "literal_prefix"]

_TOKEN = re.compile(
    r"""
      (?P<class> \[\^?\]?(?:\\.|[^\]\\])*\] )
    | (?P<escape> \\. )
    | (?P<open> \((?:\?(?:P<\w+>|<?[=!]|[:>]|[aiLmsux-]*:))? )
    | (?P<close> \) )
    | (?P<loop> (?:[*+]|\{\d*,\}) [+?]? )
    | (?P<other> \{\d+(?:,\d+)?\}[+?]? | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_WIDE = frozenset({".", r"\S", r"\D", r"\W"})
_LITERAL = re.compile(r"\^?((?:[A-Za-z0-9/_~%!@,;:&='-]|\\[.+*$()-])*)(.?)", re.DOTALL)
MOST = 2


def check_cost(pattern: str) -> None:
    """Raise ``ValueError`` for a loop that holds another one, neither of which is possessive or atomic, and for more
    than two loops that pass over slashes: ``re`` tries every way to share a text among them."""
    wide = 0
    depths: list[tuple[str, bool]] = []  # of the groups that are open: how they opened, and whether a loop is in them
    atom, atom_loops = "", False
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token[0]
        if kind == "open":
            depths.append((text, False))
            atom, atom_loops = "", False
        elif kind == "close":
            opened, loops = depths.pop() if depths else ("(", False)
            loops = loops and opened != "(?>"  # what is atomic gives nothing back
            atom, atom_loops = "()", loops
            if loops and depths:
                depths[-1] = depths[-1][0], True
        elif kind == "loop":
            if text.endswith("+") and len(text) > 1:  # possessive
                atom, atom_loops = "", False
                continue
            if atom_loops:
                raise ValueError(
                    f"pattern: {pattern!r} has a loop within a loop, which may take for ever (costly=True)"
                )
            wide += atom in _WIDE or (atom.startswith("[^") and "/" not in atom)
            if depths:
                depths[-1] = depths[-1][0], True
            atom, atom_loops = "", False
        else:
            atom, atom_loops = text, False
    if wide > MOST:
        raise ValueError(
            f"pattern: {pattern!r} has {wide} loops that may share a path in any way, which takes seconds (costly=True)"
        )


def literal_prefix(pattern: str) -> str:
    """What everything begins with that ``pattern`` matches; as little as ``""``."""
    found = _LITERAL.match(pattern)
    if found is None or "|" in pattern or "(?" in pattern[:2]:
        return ""
    text, following = found[1], found[2]
    if following in ("*", "?", "{", "+"):
        text = re.sub(r"(\\.|.)\Z", "", text, flags=re.DOTALL)
    return re.sub(r"\\(.)", r"\1", text)
