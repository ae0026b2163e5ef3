"""What ways to prove who asks have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from multidict import istr

from ...errors import ProxyError, Unauthorized
from ...exchange import Exchange, Key
from ...facts import Principal
from ...handler import Component
from ...headers import is_plain
from ...identity import PRINCIPAL
from ...security_log import Refusals, Severity

__all__ = ["Authentication", "is_name", "principals", "roles_of"]


class Authentication(Component):
    """Base of filters that find out who asks, and put a ``Principal`` on the exchange (``PRINCIPAL``).

    ``optional``
        Whether who shows nothing passes, too, without a principal. Who shows what is wrong never does.
    ``field``
        A request field that tells the servers behind who asks. What clients say there is dropped in any case, by the
        proxy on every route (``Component.reserves``).
    ``challenge``
        What ``WWW-Authenticate`` says to who has to prove it.
    ``shown_in``
        The fields in which credentials are shown, and that are not passed on: ``field`` is another one.

    Who does not pass is in the security log: as a warning if he has shown something, else as a notice.

    Raises ``ValueError`` for a field that is one of those, or that could be taken for another: of other characters than
    letters, digits and dashes.
    """

    guards = True
    provides: frozenset[Key[Any]] = frozenset({PRINCIPAL})

    def __init__(self, *, optional: bool, field: str | None, challenge: str, shown_in: Collection[str] = ()) -> None:
        if field is not None and not is_plain(field):
            raise ValueError(f"field: {field!r} is not a field name of letters, digits and dashes")
        if field is not None and field.lower() in map(str.lower, shown_in):
            raise ValueError(f"field: {field!r} is what credentials are shown in, and is not passed on")
        self._optional = optional
        self._field = None if field is None else istr(field)
        self._challenge = challenge
        self._refusals = Refusals(type(self).__name__)
        self.reserves: frozenset[str] = frozenset() if field is None else frozenset({field})

    def admit(self, exchange: Exchange, principal: Principal | None, *, shown: bool, why: str = "") -> None:
        """Let ``exchange`` pass as that of ``principal``. ``shown``: there were credentials; ``why``: what is wrong
        with them, for the operator's log.

        Raises what ``refusal`` makes of it."""
        if self._field is not None:
            exchange.request.headers.popall(self._field, None)
        if principal is None:
            if shown or not self._optional:
                why = why or ("the credentials are wrong" if shown else "there are no credentials")
                error = self.refusal(why, shown=shown)
                severity = Severity.WARNING if shown else Severity.NOTICE
                self._refusals.refuse(exchange, error, detail=why, severity=severity)
                raise error
            principal = exchange.get(PRINCIPAL)  # as a filter further out has found out
        else:
            exchange[PRINCIPAL] = principal
        if self._field is not None and principal is not None:
            exchange.request.headers[self._field] = principal.name

    def refusal(self, why: str, *, shown: bool) -> ProxyError:
        """What is raised for who does not pass: ``Unauthorized``. Nothing of ``why`` reaches him."""
        return Unauthorized(why, challenge=self._challenge)

    async def stop(self) -> None:
        self._refusals.flush()


def is_name(name: str) -> bool:
    """Whether ``name`` can be a principal's: printable ASCII without spaces around it, of at most 255 characters (as
    OpenID Connect Core section 2 bounds a subject), so that it can stand in a field."""
    return 0 < len(name) <= 255 and name.isascii() and name.isprintable() and name == name.strip()


def principals(names: Iterable[str], roles: Mapping[str, Iterable[str]], method: str) -> dict[str, Principal]:
    """The principals of these names. Raises ``ValueError`` for a name that could not stand in a field, and for
    ``roles`` of nobody, ``TypeError`` for roles that are one string."""
    found = {}
    for name in names:
        if not is_name(name):
            raise ValueError(f"{name!r} is no name for a principal: printable ASCII, without spaces around it")
        found[name] = Principal(name, method, roles_of(name, roles.get(name, ())))
    for name in roles:
        if name not in found:
            raise ValueError(f"roles: {name!r} is nobody")
    return found


def roles_of(name: str, roles: Iterable[str]) -> frozenset[str]:
    """The ``roles`` of ``name``. Raises ``TypeError`` for one string, whose letters they would be."""
    if isinstance(roles, str):
        raise TypeError(f"roles: those of {name!r} must be several strings, got one: {roles!r}")
    return frozenset(roles)
