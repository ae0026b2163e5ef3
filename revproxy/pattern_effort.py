"""How many ways a pattern may be tried at one place, as far as its syntax shows."""

from __future__ import annotations

from .pattern_tree import Tree, parsed

__all__ = ["effort", "is_anchored"]


def effort(pattern: str) -> int:
    """At most so many ways are tried before it is known that ``pattern`` is not found at a place: the product of the
    lengths that each repetition may take, and of those branches of each choice that do not exclude each other.

    Raises ``ValueError`` for a repetition without a bound, and for a back reference.
    """
    return _of(parsed(pattern), pattern)


def is_anchored(pattern: str) -> bool:
    """Whether ``pattern`` is found at the beginning of a text or nowhere."""
    first = next(iter(parsed(pattern)), None)
    return first is not None and str(first[1]) in ("AT_BEGINNING", "AT_BEGINNING_STRING")


def _of(tree: Tree, pattern: str) -> int:
    ways = 1
    for operation, value in tree:
        match str(operation):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" as kind:
                least, most, inner = value
                if most > 1000:
                    raise ValueError(f"pattern: {pattern!r} has a repetition without a bound: say {{0,40}} for *")
                within = _of(inner, pattern)
                # One way for each length; within a round that can be taken in several ways, all of them for each round.
                ways *= 1 + (most - least) if within == 1 else within ** max(most, 1) * (1 + most - least)
                if kind == "POSSESSIVE_REPEAT" and within == 1:
                    ways = max(ways // (1 + most - least), 1)
            case "BRANCH":
                alike: dict[object, int] = {}  # branches that begin with different letters exclude each other
                for branch in value[1]:
                    first = next(iter(branch), None)
                    letter = first[1] if first is not None and str(first[0]) == "LITERAL" else None
                    alike[letter] = alike.get(letter, 0) + _of(branch, pattern)
                ways *= alike.pop(None, 0) + max(alike.values(), default=0)
            case "SUBPATTERN":
                ways *= _of(value[3], pattern)
            case "ATOMIC_GROUP":
                ways *= _of(value, pattern)
            case "ASSERT" | "ASSERT_NOT":
                ways *= _of(value[1], pattern)
            case "GROUPREF" | "GROUPREF_EXISTS":
                raise ValueError(f"pattern: {pattern!r} has a back reference")
    return ways
