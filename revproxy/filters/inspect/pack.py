"""Signatures and checks of one family of attacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .signature import Signature
from .subject import Check

__all__ = ["Pack"]


@dataclass(frozen=True, slots=True)
class Pack:
    """What shows one family of attacks. The ids of ``of`` are the pack's ``name`` and a number."""

    name: str
    of: tuple[Signature | Check, ...]

    def __post_init__(self) -> None:
        for each in self.of:
            if each.id.rpartition("-")[0] != self.name:
                raise ValueError(f"of: {each.id!r} is not of the pack {self.name!r}")
        ids = [each.id for each in self.of]
        if len(set(ids)) < len(ids):
            raise ValueError(f"of: two of {self.name!r} have the same id")

    def __iter__(self) -> Iterator[Signature | Check]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def __repr__(self) -> str:
        return f"<Pack {self.name}: {len(self)} signatures>"
