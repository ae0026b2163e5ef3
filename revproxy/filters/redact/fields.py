"""Secrets in the fields of a response."""

from __future__ import annotations

from collections.abc import Collection

from multidict import CIMultiDict

from ...headers import is_token
from .engine import Engine
from .spelling import URL
from .stream import Noted, Unit

__all__ = ["Fields"]


class Fields:
    """Takes the secrets out of the values of fields of certain ``names``. They may be percent-encoded.

    Raises ``ValueError`` for what is no name of a field.
    """

    def __init__(self, engine: Engine, names: Collection[str]) -> None:
        if isinstance(names, str):
            raise TypeError(f"fields: several of them, in a list, got {names!r}")
        for name in names:
            if not is_token(name):
                raise ValueError(f"fields: {name!r} is no name of a field")
        self._engine = engine
        self._names = frozenset(name.lower() for name in names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def redacted(self, headers: CIMultiDict[str], noted: Noted) -> CIMultiDict[str] | None:
        """Other ``headers`` without their secrets; ``None`` if there are none."""
        is_other = False
        edited: CIMultiDict[str] = CIMultiDict()
        for name, value in headers.items():
            if name.lower() in self._names:
                raw = value.encode("utf-8", "surrogateescape")
                masked = Unit(self._engine, URL, noted, json=False).feed(raw, last=True)
                if masked != raw:
                    value, is_other = masked.decode("utf-8", "surrogateescape"), True
            edited.add(name, value)
        return edited if is_other else None

    def __repr__(self) -> str:
        return f"<Fields {', '.join(sorted(self._names))}>"
