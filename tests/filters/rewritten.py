"""Targets, and a handler behind filters that rewrite them."""

from __future__ import annotations

from revproxy import Exchange, Response
from revproxy.errors import BadRequest
from revproxy.filters.rewriting import Rewriting

from ..test_paths import targets

__all__ = ["answer", "refuses", "targets"]


async def answer(exchange: Exchange) -> Response:
    return Response(200)


def refuses(filter: Rewriting, target: str) -> bool:
    """Whether ``target`` is a 400 there."""
    try:
        filter.rewrite(target)
    except BadRequest:
        return True
    return False
