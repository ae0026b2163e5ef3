"""Signatures and checks of one family of attacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .signature import Signature
from .subject import Check

__all__ = ["Pack", "check_ids"]


@dataclass(frozen=True, slots=True)
class Pack:
    """What shows one family of attacks. The ids of ``of`` are the pack's ``name`` and a number."""

    name: str
    of: tuple[Signature | Check, ...]

    def __post_init__(self) -> None:
        check_ids(self.name, [each.id for each in self.of])

    def __iter__(self) -> Iterator[Signature | Check]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def __repr__(self) -> str:
        return f"<Pack {self.name}: {len(self)} signatures>"


def check_ids(name: str, ids: Sequence[str]) -> None:
    """Raise ``ValueError`` for ids that are not all different, and of the pack ``name``."""
    for id in ids:
        if id.rpartition("-")[0] != name:
            raise ValueError(f"of: {id!r} is not of the pack {name!r}")
    if len(set(ids)) < len(ids):
        raise ValueError(f"of: two of {name!r} have the same id")
