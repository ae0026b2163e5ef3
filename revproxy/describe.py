"""What was composed, as an indented tree for people."""

from __future__ import annotations

from collections.abc import Iterator

from .handler import Pipeline, name
from .rules import Rules

__all__ = ["describe"]


def describe(part: object) -> str:
    """``part`` and what it holds, a line each, inner ones indented."""
    return "\n".join(_tree(part, 0))


def _tree(part: object, depth: int) -> Iterator[str]:
    if isinstance(part, Pipeline):
        for filter in part.filters:
            yield from _tree(filter, depth)
            depth += 1
        yield from _tree(part.handler, depth)
    else:
        yield f"{'  ' * depth}{name(part)}"
        if isinstance(part, Rules):
            for rule in part.rules:
                yield f"{'  ' * (depth + 1)}{rule.when}"
                yield from _tree(rule.then, depth + 2)
