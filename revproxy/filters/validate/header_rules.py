"""What the fields of a response have to be like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from multidict import CIMultiDict, istr

from ...headers import is_token
from ...pattern_cost import check_cost

__all__ = ["HeaderRules"]


class HeaderRules:
    """Rules for the header fields of responses. ::

        HeaderRules(required=["Content-Security-Policy"], forbidden=["X-Debug-*"], values={"X-Frame-Options": "DENY"})

    ``required``
        Names of fields that have to be there.
    ``forbidden``
        Names of fields that must not be there; with a ``*`` at the end, all that begin so.
    ``values``
        By the name of a field, a regular expression that each value of it, if it is there, has to match in full. It has
        to be one that takes linear time.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    __slots__ = ("_forbidden", "_prefixes", "_required", "_values")

    def __init__(
        self,
        *,
        required: Collection[str] = (),
        forbidden: Collection[str] = (),
        values: Mapping[str, str | re.Pattern[str]] | None = None,
    ) -> None:
        self._required = _names("required", required)
        listed = ("forbidden", [each[:-1] if each[-1:] == "*" else each for each in _several("forbidden", forbidden)])
        _names(*listed)
        self._forbidden = tuple(istr(each) for each in forbidden if not each.endswith("*"))
        self._prefixes = tuple(each[:-1].lower() for each in forbidden if each.endswith("*"))
        self._values: dict[istr, re.Pattern[str]] = {}
        for name, pattern in zip(_names("values", values or ()), (values or {}).values(), strict=True):
            try:
                compiled = re.compile(pattern)
                check_cost(compiled, linear=True, lines=True)
            except (TypeError, ValueError, re.error) as error:
                raise ValueError(f"values[{str(name)!r}]: {error}") from None
            self._values[name] = compiled

    def wrong_in(self, headers: CIMultiDict[str]) -> str | None:
        """Which field is wrong, and how, without its value; ``None``: none is."""
        for name in self._required:
            if name not in headers:
                return f"{name} is missing"
        for name in self._forbidden:
            if name in headers:
                return f"{name} is there"
        for prefix in self._prefixes:
            for each in headers:
                if each.lower().startswith(prefix):
                    return f"{prefix}* is there"
        for name, pattern in self._values.items():
            for value in headers.getall(name, ()):
                if pattern.fullmatch(value) is None:
                    return f"{name} has another value"
        return None

    def __repr__(self) -> str:
        forbidden = [*self._forbidden, *(f"{each}*" for each in self._prefixes)]
        said = [
            *([f"required={[*map(str, self._required)]}"] if self._required else []),
            *([f"forbidden={[*map(str, forbidden)]}"] if forbidden else []),
            *([f"values={ {str(name): each.pattern for name, each in self._values.items()} }"] if self._values else []),
        ]
        return f"HeaderRules({', '.join(said)})"


def _several(parameter: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(f"{parameter} must be several, got {names!r}")
    return tuple(names)


def _names(parameter: str, names: Iterable[str]) -> tuple[istr, ...]:
    found = _several(parameter, names)
    for each in found:
        if not is_token(each):
            raise ValueError(f"{parameter}: {each!r} is not a field name")
    return tuple(map(istr, found))
