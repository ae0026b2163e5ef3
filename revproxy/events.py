"""What changes in the proxy itself, other than by one request: members, weights, sources."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event(ABC):
    """Base of everything that a component tells (``Component.tell``): observers get the object, by
    ``Observer.happened``, and the log ``revproxy.event`` gets its text, in one line, at its ``level``.

    ``source``: the name of what it happened to: an upstream, a split, a file.
    """

    level: ClassVar[int] = logging.INFO
    """At which ``logging`` gets it. What an operator should look at is a ``WARNING``."""

    source: str

    @abstractmethod
    def __str__(self) -> str:
        """What has happened, in one sentence that names the source."""
