"""What a probe is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from ...endpoint import Endpoint

__all__ = ["Probe", "ProbeFailed"]

Probe: TypeAlias = Callable[[Endpoint], Coroutine[Any, Any, bool | None]]
"""Asks an endpoint whether it is well. It raises if not, or returns ``False``. Whoever calls it bounds the time."""


class ProbeFailed(Exception):
    """An endpoint has answered a probe, but not as it should. The text says what was wrong."""
