"""Only pages of these origins may open WebSockets."""

from __future__ import annotations

import logging

import pytest

from revproxy import Pipeline, Severity, Upstream
from revproxy.errors import ForbiddenOrigin
from revproxy.filters import AllowedOrigins
from revproxy.testing import FakeTransport, exchange

ALLOWED = AllowedOrigins("https://example.com", "http://localhost:3000")


async def ask(*origins: str, upgrade: str | None = "websocket", transport: FakeTransport | None = None) -> int:
    """The status of the answer to a handshake that names ``origins``."""
    asked = exchange(host="chat.test:80", headers=[("Origin", origin) for origin in origins])
    asked.request.upgrade = upgrade
    upstream = Upstream("http://a", transport=transport or FakeTransport())
    return (await Pipeline(ALLOWED, handler=upstream)(asked)).status


@pytest.mark.parametrize(
    "origin",
    [
        *("https://example.com", "https://EXAMPLE.com:443", "HTTPS://example.com", "http://localhost:3000"),
        *("http://chat.test", "http://Chat.Test:80"),  # its own
    ],
)
async def test_allowed(origin: str) -> None:
    """F-103, S-70: the origins that are listed pass, and the page's own, in whatever case, with or without the port."""
    assert await ask(origin) == 200


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.test", "http://example.com", "https://example.com:8443", "https://example.com.evil.test"),
        *("null", "", "https://", "https://example.com/", "https://a@example.com", "file://", "https://example.com:x"),
        *("https://chat.test", "https://example.com https://evil.test", "https://[", "localhost:3000"),
    ],
)
async def test_refused(origin: str) -> None:
    """F-103, S-70: others get 403, ``null`` and what is no origin among them, and nothing is forwarded."""
    transport = FakeTransport()
    with pytest.raises(ForbiddenOrigin):
        await ask(origin, transport=transport)
    assert (ForbiddenOrigin.status, transport.attempts) == (403, [])


async def test_several_origins() -> None:
    """F-103: two of them say nothing."""
    with pytest.raises(ForbiddenOrigin):
        await ask("https://example.com", "https://example.com")


async def test_what_it_does_not_mind() -> None:
    """F-103: who says nothing is no browser; and an ordinary request is the back end's to judge."""
    assert await ask() == 200
    assert await ask("https://evil.test", upgrade=None) == 200


async def ask_of(subject: AllowedOrigins, origin: str) -> int:
    asked = exchange(headers={"Origin": origin}, upgrade="websocket")
    return (await Pipeline(subject, handler=Upstream("http://a", transport=FakeTransport()))(asked)).status


async def test_applications() -> None:
    """S-70: those in a web view, and extensions, have schemes of their own; each is listed as it is."""
    subject = AllowedOrigins("capacitor://localhost", "moz-extension://0a1b2c3d-0000-4000-8000-000000000000")
    assert await ask_of(subject, "capacitor://localhost") == 200
    for origin in ("capacitor://localhost:80", "ionic://localhost", "moz-extension://ffffffff"):
        with pytest.raises(ForbiddenOrigin):
            await ask_of(subject, origin)


async def test_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-62, S-70: what is refused is a line in the security log, with what was said; in shadow that alone."""
    subject, shadow = AllowedOrigins(severity=Severity.ERROR, name="chat"), AllowedOrigins(shadow=True)
    with caplog.at_level(logging.INFO, "revproxy.security"):
        with pytest.raises(ForbiddenOrigin):
            await ask_of(subject, "null")
        assert await ask_of(shadow, "https://evil.test") == 200
    assert [(record.levelno, record.action) for record in caplog.records] == [  # type: ignore[attr-defined]
        (logging.ERROR, "block 403"),
        (logging.WARNING, "shadow block 403"),
    ]
    assert "null" in caplog.records[0].detail  # type: ignore[attr-defined]
    assert (subject.refused, shadow.refused) == (1, 1)


@pytest.mark.parametrize(
    "origin",
    [
        "https://*.example.com",
        "https://büro.example",
        "example.com",
        "https://example.com/",
        "ws://example.com",
        "null",
        "*",
        "",
    ],
)
def test_what_is_no_origin(origin: str) -> None:
    """It is refused when the filter is made."""
    with pytest.raises(ValueError, match="origins"):
        AllowedOrigins(origin)


def test_it_prints_itself() -> None:
    """It prints its origins."""
    assert repr(ALLOWED) == "AllowedOrigins('https://example.com', 'http://localhost:3000')"
