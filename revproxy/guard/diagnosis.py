"""What a server leaves open to whoever connects."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .._aiohttp import parses_natively
from .._aiohttp_server import is_debug, options_of
from ..rules import Severity
from .runner import GuardedRunner
from .settings import Guard

__all__ = ["Finding", "diagnose"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is open. ``name`` is for programs, and stays what it is; ``text`` says what, and what to do."""

    severity: Severity
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity.name} {self.name}: {self.text}"


_NO_GUARD = Guard(
    idle=None,
    head=None,
    body_rate=None,
    body_idle=None,
    write=None,
    requests=None,
    connections=None,
    prefixes=(),
)


def diagnose(served: web.Application | web.BaseRunner) -> list[Finding]:
    """What is open at a runner, or would be at ``web.run_app(app)``; the worst first. Nothing is changed.

    Raises ``TypeError`` for anything else.
    """
    if isinstance(served, web.Application):
        app: web.Application | None = served
        runner = None
    elif isinstance(served, web.BaseRunner):
        app = served.app if isinstance(served, web.AppRunner) else None
        runner = served
    else:
        raise TypeError(f"diagnose needs a web.Application or a runner, got {served!r}")
    options = options_of(runner, app)
    guarded = isinstance(runner, GuardedRunner)
    guard = runner.guard if isinstance(runner, GuardedRunner) else _NO_GUARD
    found = [*_parser(), *_deadlines(guard), *_caps(guard), *_server(options, guarded), *_of_app(app)]
    return sorted(found, key=lambda each: -each.severity)


def _parser() -> Iterator[Finding]:
    if not parses_natively():
        yield Finding(
            Severity.CRITICAL,
            "parser",
            "aiohttp reads requests with its pure Python parser, which differs from the one in C in what it lets "
            "through; unset AIOHTTP_NO_EXTENSIONS, or install a wheel for this platform",
        )


def _deadlines(guard: Guard) -> Iterator[Finding]:
    use = "use GuardedRunner" if guard is _NO_GUARD else "set it in Guard"
    if guard.idle is None:
        text = "a connection on which nothing comes stays as long as keepalive_timeout; " + use
        yield Finding(Severity.WARNING, "idle", text)
    if guard.head is None:
        text = "a request head may take as long as keepalive_timeout, and has no deadline of its own; " + use
        yield Finding(Severity.ERROR, "head", text)
    if guard.body_rate is None:
        yield Finding(Severity.WARNING, "body_rate", "a request body may come as slowly as it likes; " + use)
    if guard.body_idle is None:
        yield Finding(Severity.ERROR, "body_idle", "a client may stop amid a request body for ever; " + use)
    if guard.write is None:
        text = "a client that reads nothing is kept, unless a handler has a deadline; " + use
        yield Finding(Severity.ERROR, "write", text)


def _caps(guard: Guard) -> Iterator[Finding]:
    use = "use GuardedRunner" if guard is _NO_GUARD else "set it in Guard"
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if guard.connections is None:
        yield Finding(Severity.ERROR, "connections", "there is no cap on connections; " + use)
    elif files != resource.RLIM_INFINITY and guard.connections > files // 2:
        text = (
            f"{guard.connections} connections are let in, but the process may open {files} files, and each may need "
            f"one to a back end: raise the limit (ulimit -n), or set connections to at most {files // 2}"
        )
        yield Finding(Severity.WARNING, "files", text)
    if not any(cap.connections is not None for cap in guard.prefixes):
        yield Finding(Severity.WARNING, "prefixes", "one client may take all connections; " + use)
    if guard.requests is None:
        yield Finding(Severity.NOTICE, "requests", "a connection may go on for ever; " + use)


def _server(options: Mapping[str, Any], guarded: bool) -> Iterator[Finding]:
    if options.get("auto_decompress", True):
        text = "the server inflates request bodies, also where nobody asked for it; set auto_decompress=False"
        yield Finding(Severity.WARNING, "auto_decompress", text)
    if not guarded:
        text = "what cannot be parsed is quoted in the answer, and logged with a traceback each; use GuardedRunner"
        yield Finding(Severity.NOTICE, "bad_request", text)
    seconds = options.get("keepalive_timeout")
    if isinstance(seconds, (int, float)) and seconds > 600:
        text = f"an idle connection is kept for {seconds:g} s; set keepalive_timeout to what clients need"
        yield Finding(Severity.NOTICE, "keepalive_timeout", text)


def _of_app(app: web.Application | None) -> Iterator[Finding]:
    if app is not None and is_debug(app):
        text = "the application is in debug mode: the answer to an error in a handler has the traceback"
        yield Finding(Severity.ERROR, "debug", text)
