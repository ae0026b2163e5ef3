"""Filters that rewrite targets and hosts: what they do not take."""

from __future__ import annotations

import re

from revproxy import Exchange, Pipeline, block
from revproxy.filters import AddPrefix, PathRewrite, PathTemplate, SetHost, StripPrefix
from revproxy.filters.rewriting import Rewriting

StripPrefix()  # E: call-arg
StripPrefix(b"/api")  # E: arg-type
StripPrefix("/api", "/v1")  # E: arg-type, call-arg
StripPrefix("/api", otherwise="drop")  # E: arg-type
StripPrefix("/api", otherwise=False)  # E: arg-type
StripPrefix("/api", forwarded="X-Forwarded-Prefix")  # E: arg-type
AddPrefix(2)  # E: arg-type
AddPrefix("/v2", otherwise="pass")  # E: call-arg
PathRewrite("/a")  # E: call-arg
PathRewrite(re.compile(b"/a"), "/b")  # E: arg-type
PathRewrite("/a", lambda match: match[0])  # E: arg-type
PathRewrite("/a", "/b", limit="2 KiB")  # E: arg-type
PathTemplate("/a/{b}", b"/{b}")  # E: arg-type
PathTemplate("/a/{b}", "/{b}", limit=10)  # E: call-arg
SetHost(8080)  # E: arg-type
SetHost("internal.example", 8080)  # E: call-arg
SetHost(b"internal.example")  # E: arg-type
Rewriting("pass")  # E: abstract
Pipeline(StripPrefix, handler=block())  # E: arg-type
Pipeline(handler=StripPrefix("/api"))  # E: arg-type


def no_exchange() -> str:
    return "internal.example"


def perhaps(exchange: Exchange) -> str | None:
    return None


async def later(exchange: Exchange) -> str:
    return "internal.example"


SetHost(no_exchange)  # E: arg-type
SetHost(perhaps)  # E: arg-type
SetHost(later)  # E: arg-type
