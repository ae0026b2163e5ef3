"""What ways to prove who asks have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from multidict import istr

from ...errors import Unauthorized
from ...exchange import Exchange, Key
from ...facts import Principal
from ...handler import Component
from ...headers import is_token
from ...identity import PRINCIPAL

__all__ = ["Authentication", "principals"]


class Authentication(Component):
    """Base of filters that find out who asks, and put a ``Principal`` on the exchange (``PRINCIPAL``).

    ``optional``
        Whether who shows nothing passes, too, without a principal. Who shows what is wrong never does.
    ``field``
        A request field that tells the servers behind who asks. What clients say there is dropped in any case.
    ``challenge``
        What ``WWW-Authenticate`` says to who has to prove it.
    """

    guards = True
    provides: frozenset[Key[Any]] = frozenset({PRINCIPAL})

    def __init__(self, *, optional: bool, field: str | None, challenge: str) -> None:
        if field is not None and not is_token(field):
            raise ValueError(f"field: {field!r} is not a field name")
        self._optional = optional
        self._field = None if field is None else istr(field)
        self._challenge = challenge

    def admit(self, exchange: Exchange, principal: Principal | None, *, shown: bool) -> None:
        """Let ``exchange`` pass as that of ``principal``. ``shown``: there were credentials.

        Raises ``Unauthorized``."""
        if self._field is not None:
            exchange.request.headers.popall(self._field, None)
        if principal is None:
            if shown or not self._optional:
                raise Unauthorized(
                    "the credentials are wrong" if shown else "there are no credentials", challenge=self._challenge
                )
            return
        exchange[PRINCIPAL] = principal
        if self._field is not None:
            exchange.request.headers[self._field] = principal.name


def principals(names: Iterable[str], roles: Mapping[str, Iterable[str]], method: str) -> dict[str, Principal]:
    """The principals of these names. Raises ``ValueError`` for a name that could not stand in a field, and for
    ``roles`` of nobody."""
    found = {}
    for name in names:
        if not name or not name.isascii() or not name.isprintable() or name != name.strip():
            raise ValueError(f"{name!r} is no name for a principal: printable ASCII, without spaces around it")
        found[name] = Principal(name, method, frozenset(roles.get(name, ())))
    for name in roles:
        if name not in found:
            raise ValueError(f"roles: {name!r} is nobody")
    return found
