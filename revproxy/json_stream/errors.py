"""What is wrong with JSON that was read as it came."""

from __future__ import annotations

__all__ = ["JsonError"]


class JsonError(ValueError):
    """What came is no JSON, or more of it than is taken. The message quotes nothing of it.

    ``reason``
        ``"encoding"``: it is not UTF-8. ``"string"``: a string or name is none, for a control character, an escape that
        there is not, or half a surrogate pair. ``"number"``: one that is none, or of more than 1,024 digits in a row.
        ``"depth"``, ``"name"``, ``"size"``: it exceeds a limit. ``"end"``: it breaks off. ``"syntax"``: anything else.
    ``offset``
        Where, in bytes from the start of the document.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason: str = reason
        self.offset: int = offset
