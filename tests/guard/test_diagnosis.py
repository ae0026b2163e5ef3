"""What a server leaves open is found."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from aiohttp import web

from revproxy import Severity
from revproxy.guard import Guard, GuardedRunner, PrefixCap, diagnose

PLAIN = {
    *("idle", "head", "body_rate", "body_idle", "write", "connections", "prefixes", "requests"),
    *("auto_decompress", "bad_request"),
}


def names(served: web.Application | web.BaseRunner) -> set[str]:
    return {each.name for each in diagnose(served)}


async def test_a_plain_server() -> None:
    """S-45 to S-48, S-51, S-74: what ``run_app`` and ``AppRunner`` leave open, the worst first, and what to do."""
    assert names(web.Application()) == PLAIN
    assert names(web.AppRunner(web.Application())) == PLAIN
    assert names(web.AppRunner(web.Application(), auto_decompress=False)) == PLAIN - {"auto_decompress"}
    assert names(web.AppRunner(web.Application(), keepalive_timeout=3630.0)) == PLAIN | {"keepalive_timeout"}
    server = web.Server(lambda request: None)  # type: ignore[arg-type, return-value]
    assert names(web.ServerRunner(server)) == PLAIN
    found = diagnose(web.Application())
    assert [each.severity for each in found] == sorted((each.severity for each in found), reverse=True)
    assert all("GuardedRunner" in each.text or each.name == "auto_decompress" for each in found)
    assert str(found[0]).startswith("ERROR ")


async def test_a_guarded_server() -> None:
    """With a guard nothing is left of it, but for what its settings lift, or the process cannot hold."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    few = Guard(connections=max(1, files // 2) if files > 0 else 100)
    assert names(GuardedRunner(web.Application(), guard=few)) == set()
    many = Guard(connections=1 << 40)
    assert names(GuardedRunner(web.Application(), guard=many)) == ({"files"} if files > 0 else set())
    guard = Guard(connections=1, head=None, prefixes=(PrefixCap(ipv4=32, ipv6=64, rate=5),))
    found = {each.name: each.text for each in diagnose(GuardedRunner(web.Application(), guard=guard))}
    assert set(found) == {"head", "prefixes"}
    assert "set it in Guard" in found["head"]
    assert names(GuardedRunner(web.Application(), guard=few, auto_decompress=True)) == {"auto_decompress"}


async def test_debug_mode() -> None:
    """An application in debug mode shows tracebacks to clients."""
    with pytest.warns(DeprecationWarning, match="debug"):
        app = web.Application(debug=True)
    assert "debug" in names(app)


async def test_what_is_neither() -> None:
    """Anything else is a ``TypeError``."""
    with pytest.raises(TypeError, match=r"^diagnose needs a web\.Application or a runner, got 3$"):
        diagnose(3)  # type: ignore[arg-type]


def test_the_other_parser() -> None:
    """S-18: where aiohttp parses in pure Python, that is the first finding, and critical."""
    program = (
        "from aiohttp import web; from revproxy.guard import diagnose; "
        "print([(each.severity.name, each.name) for each in diagnose(web.Application())][0])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()
        for env in ({}, {"AIOHTTP_NO_EXTENSIONS": "1"})
    ]
    assert said == [str(("ERROR", "head")), str((Severity.CRITICAL.name, "parser"))]
