"""The endpoints of an upstream: what may be a set of them, and what changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from yarl import URL

from .addresses import AddressPolicy
from .endpoint import Endpoint
from .events import Event

__all__ = ["MembersChanged", "members_of"]


@dataclass(frozen=True, slots=True)
class MembersChanged(Event):
    """An upstream has other endpoints than before. ``joined`` and ``left`` are their names, sorted; ``count``: how many
    there are now."""

    joined: tuple[str, ...]
    left: tuple[str, ...]
    count: int

    @classmethod
    def between(cls, source: str, before: Collection[Endpoint], after: Collection[Endpoint]) -> MembersChanged:
        """What has changed from ``before`` to ``after``."""
        joined, left = (
            tuple(sorted(each.name for each in those if each not in others))
            for those, others in ((after, before), (before, after))
        )
        return cls(source, joined, left, len(after))

    def __str__(self) -> str:
        said = [
            f"{word} {_few(names)}" for word, names in (("joined by", self.joined), ("left by", self.left)) if names
        ]
        return f"{self.source}: {', '.join(said)}; {self.count} endpoints"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def members_of(wanted: Sequence[str | URL | Endpoint], policy: AddressPolicy | None = None) -> tuple[Endpoint, ...]:
    """The endpoints that are ``wanted``; where there is a ``policy``, under it. Raises ``ValueError`` for none, for one
    that is named twice, and for one that the policy refuses; ``TypeError`` for what is no endpoint."""
    if not wanted:
        raise ValueError("endpoints: an upstream needs at least one")
    for each in wanted:
        if not isinstance(each, str | URL | Endpoint):
            raise TypeError(f"endpoints: URLs or Endpoint objects, one argument each, got {each!r}")
    members = tuple(each if isinstance(each, Endpoint) else Endpoint(each) for each in wanted)
    if len({member.identity for member in members}) != len(members):
        places = [f"{member.url} at {member.address}" if member.address else str(member.url) for member in members]
        raise ValueError(f"endpoints: one is named twice in {places}")
    if policy is not None:
        for member in members:
            if member.policy is not policy:
                refused = member.refused_by(policy)
                if refused is not None:
                    raise ValueError(f"endpoints: {member.name} is refused: {refused}")
        for member in members:
            member.policy = policy
    return members
