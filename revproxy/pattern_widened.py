"""A pattern as hyperscan reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["widened"]

_TOKENS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?>|\(\?<?[=!]|\(\?:|\{\d+(?:,\d*)?\}|.", re.DOTALL)
_ENDS = frozenset({r"\Z", "$"})
_ANCHORS = frozenset({r"\A", "^", r"\Z", "$"})
_REPEATED = re.compile(r"\{(\d+),(\d+)\}")
_MANY = 9
_LOOKS = frozenset({"(?=", "(?!", "(?<=", "(?<!"})


def widened(pattern: str) -> list[str]:
    """``pattern`` for texts of which each line is a value, with a newline before the first and behind the last: as one
    expression or several of which one is found wherever it is, if not elsewhere too.

    What is possessive or atomic gives back; what looks around is left out, and so is what may be nothing at the
    beginning: an automaton that has to follow it from everywhere is slow. Large bounds are none. An anchor is a
    newline at the very beginning and end, and nothing elsewhere. What finds any character but some does not find
    that, which no value has in it."""
    tokens = _without_looks(_greedy(_TOKENS.findall(pattern)))
    return [_one(branch) for branch in _branches(tokens)]


def _one(tokens: Sequence[str]) -> str:
    at = anchored = 1 if tokens and tokens[0] in _ANCHORS else 0
    while (end := _end_of_optional(tokens, at)) is not None:
        at = end
    pieces = [r"\n"] if anchored and at == anchored else []
    for place in range(at, len(tokens)):
        token = tokens[place]
        if token in _ANCHORS:
            outermost = _is_last(tokens, place) if token in _ENDS else _is_first(tokens, place)
            pieces.append(r"\n" if outermost else "(?:)")
        elif token[:2] == "[^":
            first = "\\" + token[2] if token[2] in "]-" else token[2]  # which mean themselves only there
            pieces.append(rf"[^\n{first}{token[3:]}")
        else:
            pieces.append(_without_bound(token))
    return "".join(pieces)


def _is_last(tokens: Sequence[str], place: int) -> bool:
    """Whether nothing is read behind this one: what stands there are ends of groups, and other alternatives."""
    depth = 0
    skipped = False
    for token in tokens[place + 1 :]:
        if token[0] == "(":
            if not depth and not skipped:
                return False
            depth += 1
        elif token == ")":
            if depth:
                depth -= 1
            else:
                skipped = False  # the group of this one ends
        elif not depth and token == "|":
            skipped = True
        elif not depth and not skipped:
            return False
    return True


def _is_first(tokens: Sequence[str], place: int) -> bool:
    """Whether nothing is read before this one."""
    mirrored = [")" if each[0] == "(" else "(" if each == ")" else each for each in reversed(tokens[:place])]
    return _is_last(["", *mirrored], 0)


def _without_bound(token: str) -> str:
    """A repetition of many without its bound: counting takes an automaton a state for each."""
    found = _REPEATED.fullmatch(token)
    if found is None or int(found[2]) < _MANY:
        return token
    return f"{{{min(int(found[1]), 3)},}}"


def _without_looks(tokens: Sequence[str]) -> Sequence[str]:
    kept: list[str] = []
    depth = 0
    for token in tokens:
        if depth:
            depth += (token[0] == "(") - (token == ")")
        elif token in _LOOKS:
            depth = 1
            kept.append("(?:)")
        else:
            kept.append(token)
    return kept


def _branches(tokens: Sequence[str]) -> list[Sequence[str]]:
    """The alternatives of a pattern that is a choice as a whole."""
    branches: list[Sequence[str]] = []
    depth = start = 0
    for place, token in enumerate(tokens):
        depth += (token[0] == "(") - (token == ")")
        if token == "|" and not depth:
            branches.append(tokens[start:place])
            start = place + 1
    return [*branches, tokens[start:]]


def _greedy(tokens: Sequence[str]) -> Sequence[str]:
    """``tokens`` with groups that give back for atomic ones, and without what makes a repetition possessive."""
    kept: list[str] = []
    quantified = False
    for token in tokens:
        if token == "+" and quantified:
            quantified = False
            continue
        quantified = not quantified and token[0] in "?*+{" and bool(kept) and (token[0] != "{" or len(token) > 1)
        kept.append("(?:" if token == "(?>" else token)
    return kept


def _end_of_optional(tokens: Sequence[str], at: int) -> int | None:
    """Where a piece ends that begins ``at`` and may be nothing; ``None``: it may not, or is all that is left."""
    depth = 0
    for place in range(at, len(tokens)):
        token = tokens[place]
        depth += (token[0] == "(") - (token == ")")
        if depth < 0 or token in _ANCHORS:
            return None
        if not depth:
            after = place + 1
            if after >= len(tokens) or not (tokens[after] in ("?", "*") or tokens[after].startswith("{0,")):
                return None
            after += 1
            if after < len(tokens) and tokens[after] == "?":
                after += 1
            return after if after < len(tokens) else None
    return None
