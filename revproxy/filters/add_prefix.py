"""More segments before the path."""

from __future__ import annotations

from ..canonical import canonical
from ..message import Move
from .rewriting import Rewriting, constant

__all__ = ["AddPrefix"]


class AddPrefix(Rewriting):
    """Puts ``prefix`` before the path, with one slash between them: ``AddPrefix("/v2")`` makes ``/v2/x`` of ``/x``.
    What was there stays byte for byte.

    An endpoint's URL can have a path, too (``http://10.0.0.1:8080/base``): it comes before what filters have put
    together. Raises ``ValueError`` that names the parameter.
    """

    reads_path = False

    def __init__(self, prefix: str) -> None:
        super().__init__("pass")
        self.prefix: str = constant("prefix", prefix).rstrip("/")
        self._canonical = canonical(self.prefix)

    def move(self) -> Move:
        return "", self._canonical

    def rewrite(self, target: str) -> str:
        return self.prefix + target

    def __repr__(self) -> str:
        return f"AddPrefix({self.prefix or '/'!r})"
