"""Filters that rewrite targets and hosts."""

from __future__ import annotations

import re
from typing import assert_type

from revproxy import Exchange, Filter, Pipeline, block
from revproxy.filters import AddPrefix, PathRewrite, PathTemplate, SetHost, StripPrefix
from revproxy.filters.rewriting import Otherwise, Rewriting


def by_tenant(exchange: Exchange) -> str:
    return f"{exchange.inbound.host}.internal"


class Lower(Rewriting):
    """What one of a developer's own looks like."""

    def rewrite(self, target: str) -> str | None:
        return target.lower()


def test_they_are_filters() -> None:
    """Each of them, in every form that it may be written in."""
    otherwise: Otherwise = "pass"
    filters: list[Filter] = [
        StripPrefix("/api"),
        StripPrefix("/api", otherwise=otherwise, forwarded=True),
        AddPrefix("/v2"),
        PathRewrite("/a/(.*)", r"/b/\1"),
        PathRewrite(re.compile("/a/(.*)", re.IGNORECASE), r"/b/\1", otherwise="refuse", limit=4096),
        PathTemplate("/a/{b}", "/{b}", otherwise="refuse"),
        SetHost("internal.example:8080"),
        SetHost(by_tenant),
        SetHost(lambda exchange: exchange.inbound.host),
        Lower("pass"),
    ]
    Pipeline(*filters, handler=block())


def test_what_they_say() -> None:
    """What becomes of a target can be asked without a request."""
    assert_type(StripPrefix("/api").rewrite("/api/x"), str | None)
    assert_type(AddPrefix("/v2").rewrite("/x"), str)
    assert_type(PathRewrite("/a", "/b").rewrite("/a"), str | None)
    assert_type(PathTemplate("/a", "/b").rewrite("/a"), str | None)
