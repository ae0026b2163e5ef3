"""Fields that every answer has, be it an error."""

from __future__ import annotations

from collections.abc import Callable

from multidict import CIMultiDict, istr

from ..errors import InternalError, ProxyError
from ..exchange import Exchange
from ..handler import Handler
from ..message import Response

__all__ = ["edited", "vary"]

_VARY = istr("Vary")


async def edited(exchange: Exchange, handler: Handler, edit: Callable[[CIMultiDict[str]], object]) -> Response:
    """What ``handler`` answers, with its fields edited, as are those of the answer that is made of an error. A 101 is
    left as it is: its fields are about the connection. What is no ``ProxyError`` becomes an ``InternalError``, as the
    proxy itself would make of it."""
    try:
        response = await handler(exchange)
    except ProxyError as error:
        _edit(error, edit)
        raise
    except Exception as failure:
        unexpected = InternalError(f"{type(failure).__name__}: {failure}")
        _edit(unexpected, edit)
        raise unexpected from failure
    if response.status == 101:
        return response
    headers = response.headers.copy()  # the answer may be its handler's to give out again
    edit(headers)
    return Response(response.status, headers, response.body, response.reason, response.tunnel)


def _edit(error: ProxyError, edit: Callable[[CIMultiDict[str]], object]) -> None:
    fields = CIMultiDict(error.fields)
    edit(fields)
    error.fields = fields


def vary(headers: CIMultiDict[str], name: str) -> None:
    """Say that the answer depends on the request field ``name`` (RFC 9110 section 12.5.5), unless it is said."""
    said = ", ".join(headers.getall(_VARY, ()))
    if not {name.lower(), "*"}.intersection(each.strip(" \t").lower() for each in said.split(",")):
        headers[_VARY] = f"{said}, {name}" if said else name
