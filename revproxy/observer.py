"""What metrics and logs override to learn of exchanges."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING

from .errors import ProxyError
from .events import Event
from .exchange import Attempt, Exchange, Hooks

if TYPE_CHECKING:
    from .rules import Rule

__all__ = ["Observer", "hooks"]

_log = logging.getLogger("revproxy.error")


class Observer:
    """No-op hooks: override what you want to know. They are called in order and must not block. What one raises is
    logged in ``revproxy.error`` and changes nothing else.

    A hook that nobody overrides costs nothing.
    """

    def started(self, exchange: Exchange) -> None:
        """A request has arrived; nothing was decided yet."""

    def attempted(self, attempt: Attempt) -> None:
        """An endpoint was chosen and is about to be sent the request."""

    def settled(self, attempt: Attempt) -> None:
        """An attempt has ended, its body included; ``attempt.status`` and ``attempt.error`` say how."""

    def ruled(self, exchange: Exchange, rule: Rule) -> None:
        """A rule with a severity matched (``rule.shadow``: it was only noted)."""

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        """The exchange failed; the client may have been told ``error.status``."""

    def finished(self, exchange: Exchange, status: int | None) -> None:
        """The exchange is over. ``status``: what the client was sent; ``None``: nothing."""

    def happened(self, event: Event) -> None:
        """Something has changed that is not about one request: members, weights, a source. Told while it runs."""


def _guarded(hook: Callable[..., object]) -> Callable[..., object]:
    def guarded(*facts: object) -> None:
        try:
            hook(*facts)
        except Exception:
            _log.exception("an observer failed: %r", hook)

    return guarded


def hooks(observers: Iterable[Observer]) -> Hooks:
    """The methods that ``observers`` override, as an exchange calls them."""
    observers = tuple(observers)

    def overridden(hook: str) -> tuple[Callable[..., object], ...]:
        base = getattr(Observer, hook)
        return tuple(_guarded(getattr(each, hook)) for each in observers if getattr(type(each), hook) is not base)

    return Hooks(*(overridden(each.name) for each in fields(Hooks)))
