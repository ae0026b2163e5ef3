"""What every affinity is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange, Key
from ..handler import Component
from ..message import Response

__all__ = ["SESSION", "Affinity", "Gone", "Session"]

Gone: TypeAlias = Literal["redistribute", "refuse"]
"""What becomes of a session whose endpoint is no member any more, or takes no requests: it goes on at another one,
which knows nothing of it; or its requests are answered with 503 (``SessionLost``)."""


@dataclass(slots=True)
class Session:
    """Where the session of an exchange is. ``endpoint`` is ``None`` where that is no member any more. ``stale``: the
    client should be told again."""

    endpoint: Endpoint | None
    stale: bool = False


SESSION: Key[Session | None] = Key("session")
"""The session that an upstream with an affinity has found, for observers and filters."""


class Affinity(Component, ABC):
    """Knows where the session of an exchange is, and notes where a new one begins. The upstream does the rest: it looks
    whether that endpoint is there and takes the request, has the balancer choose where there is no session, and decides
    by ``gone`` what happens where there is one that cannot go on.

    A draining endpoint keeps its sessions and gets no new ones. One affinity serves one upstream.
    """

    serves: str = ""
    """The name of that upstream, once there is one."""

    mark: str = ""
    """What clients carry, if anything: two upstreams of a proxy must not use the same."""

    def __init__(self, gone: Gone = "redistribute") -> None:
        if gone not in get_args(Gone):
            raise ValueError(f"gone must be 'redistribute' or 'refuse', got {gone!r}")
        self.gone: Gone = gone

    @abstractmethod
    def bind(self, endpoints: Sequence[Endpoint]) -> None:
        """These are the members from now on. Called once per change of membership."""

    @abstractmethod
    def find(self, exchange: Exchange) -> Session | None:
        """The session that ``exchange`` belongs to; ``None``: none yet, or none that can be believed."""

    @abstractmethod
    def keep(self, attempt: Attempt, response: Response) -> None:
        """``attempt`` was answered with ``response``. If its session begins there, or goes on there from now on, note
        it, or tell the client, to whom ``response`` is on its way. ``attempt.exchange[SESSION]`` is what was found."""
