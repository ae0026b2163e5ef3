"""Signatures of one family of leaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..inspect.pack import check_ids
from .signature import LeakSignature

__all__ = ["LeakPack"]


@dataclass(frozen=True, slots=True)
class LeakPack:
    """What shows one family of leaks. The ids of ``of`` are the pack's ``name`` and a number."""

    name: str
    of: tuple[LeakSignature, ...]

    def __post_init__(self) -> None:
        check_ids(self.name, [each.id for each in self.of])

    def __iter__(self) -> Iterator[LeakSignature]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)

    def __repr__(self) -> str:
        return f"<LeakPack {self.name}: {len(self)} signatures>"
