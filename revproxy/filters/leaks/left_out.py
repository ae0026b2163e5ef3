"""Which signatures are not looked for in answers to which requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...exchange import Exchange, Key
from ...when import When
from ..inspect.exclusion import Exclusion
from ..inspect.value import Part
from .pack import LeakPack

__all__ = ["LeftOut"]

_ANYWHERE = Part.ANYWHERE
_NONE: frozenset[str] = frozenset()


class LeftOut:
    """What ``exclusions`` leave out of ``packs``.

    ``always``: the ids that are never looked for.

    Raises ``ValueError`` or ``TypeError`` that names them.
    """

    __slots__ = ("_sometimes", "always", "reads_path", "requires")

    def __init__(self, exclusions: Iterable[Exclusion], packs: Iterable[LeakPack]) -> None:
        if isinstance(exclusions, Exclusion):
            raise TypeError("exclusions: several of them, in a list, got one")
        known = [each.id for pack in packs for each in pack]
        always: frozenset[str] = frozenset()
        self._sometimes: list[tuple[When, frozenset[str]]] = []
        for exclusion in exclusions:
            if not isinstance(exclusion, Exclusion):
                raise TypeError(f"exclusions: {exclusion!r} is not an Exclusion")
            if exclusion.names is not None or exclusion.where & _ANYWHERE != _ANYWHERE:
                raise ValueError(f"exclusions: {exclusion!r} has names or parts, which are those of requests")
            ids = frozenset(id for id in known if exclusion.about(id) is not None)
            if not ids:
                raise ValueError(f"exclusions: no signature is called {exclusion.ids!r}")
            if exclusion.when is None:
                always |= ids
            else:
                self._sometimes.append((exclusion.when, ids))
        whens = [when for when, _ in self._sometimes]
        self.always: frozenset[str] = always
        self.requires: frozenset[Key[Any]] = frozenset().union(*(when.requires for when in whens))
        self.reads_path: bool = any(when.reads_path for when in whens)

    def of(self, exchange: Exchange) -> frozenset[str]:
        """The ids, beside those, that are not looked for in the answer to ``exchange``."""
        left = _NONE
        for when, ids in self._sometimes:
            if when(exchange):
                left |= ids
        return left

    def __repr__(self) -> str:
        return f"<LeftOut: {len(self.always)} signatures, and by {len(self._sometimes)} conditions more>"
