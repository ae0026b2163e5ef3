"""Which path of the proxy a path of the upstream is."""

from __future__ import annotations

from collections.abc import Sequence

from ..canonical import canonical
from ..errors import BadRequest
from ..message import Move

__all__ = ["Route", "route"]


class Route:
    """The way back of what rewriting has done to a path.

    ``moves``
        Pairs of what was taken off in front of a path and of what was put there instead, in the order in which that was
        done; canonical, without a slash at the end.
    """

    __slots__ = ("_moves", "_root")

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = tuple(move for move in moves if move[0] != move[1])
        only_taken = not any(put for _, put in self._moves)
        self._root = "".join(taken for taken, _ in self._moves) if only_taken else ""

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self._moves)

    def says(self, path: str) -> bool:
        """Whether ``path`` has all that was taken off, as a server writes it that was told of that
        (``X-Forwarded-Prefix``): then it is what the client calls it."""
        try:
            return self._root != "" and _below(self._root, path) is not None
        except BadRequest:
            return False

    def back(self, path: str, *, covers: bool = False) -> str | None:
        """What the client calls ``path``, which begins with a slash: byte for byte, but for the segments in front.
        ``None``: it has no name there.

        ``covers``: ``path`` stands for all that is below it, as that of a cookie does; one that all is below that
        clients can ask for is the root of that.
        """
        try:
            for taken, put in reversed(self._moves):
                rest = _below(put, path)
                if rest is None:
                    if not covers or not put.startswith(f"{canonical(path).rstrip('/')}/"):
                        return None
                    rest = ""
                path = taken + ("" if covers and rest == "/" else rest)
        except BadRequest:  # a bad percent-encoding: nobody knows what it means
            return None
        return path or "/"

    def __repr__(self) -> str:
        return f"Route({list(self._moves)!r})"


def _below(prefix: str, path: str) -> str | None:
    """What is left of ``path`` without the segments of ``prefix``; ``None`` if it is not below it."""
    if not prefix:
        return path
    form = canonical(path)
    if form == prefix:
        return ""
    if not form.startswith(f"{prefix}/"):
        return None
    for _ in range(prefix.count("/")):
        path = path[path.index("/", 1) :]
    return path


def route(came: str, sent: str, moves: Sequence[Move | None], base: str) -> Route | None:
    """The way back from what an endpoint was sent, with ``base`` before ``sent``, to what the client has asked for,
    ``came``; ``came`` and ``sent`` are canonical paths.

    ``moves`` are those that filters tell of; ``None`` among them is a rewriting that is none of what a path begins
    with. What they do not explain is by somebody who tells nothing. If that can be segments taken off in front, or put
    there, it was that. The result is ``None`` if nobody knows.
    """
    known: list[Move] = []
    path: str | None = came
    for move in moves:
        if move is None:
            return None
        known.append(move)
        rest = None if path is None else _below(move[0], path)
        path = None if rest is None else move[1] + rest or "/"
    if path != sent:
        if not sent.strip("/") or not came.startswith("/"):
            return None
        if came.endswith(sent):
            known = [(came.removesuffix(sent), "")]
        elif sent.endswith(came) and came != "/":
            known = [("", sent.removesuffix(came))]
        else:
            return None
    return Route([*known, ("", base)])
