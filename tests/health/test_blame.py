"""Who is to blame for a failure (S-57, row 3)."""

from __future__ import annotations

import inspect
from weakref import ref

import pytest

from revproxy import Endpoint, ProxyError, errors
from revproxy.errors import BadRequest, ConnectionLost, InternalError, Origin, QueueFull
from revproxy.exchange import Attempt
from revproxy.health.blame import has_failed, is_failure, who_asked
from revproxy.testing import exchange

ERRORS = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, ProxyError)]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error(error: type[ProxyError]) -> None:
    """What the client did or a policy decided says nothing of who was asked; what the upstream did always does."""
    if error.origin in (Origin.CLIENT, Origin.POLICY):
        assert not is_failure(error("x"))
    if error.origin is Origin.UPSTREAM:
        assert is_failure(error("x"))


def test_what_the_proxy_did() -> None:
    """That there is no place is a failure, and so is a handler that breaks; that the application ended is none, nor
    is what has become of one client's session, nor what those have decided that watch over health."""
    assert is_failure(QueueFull("x"))
    assert is_failure(InternalError("x"))
    assert is_failure(OSError("x"))
    assert not is_failure(errors.Interrupted())
    assert not is_failure(errors.SessionLost("x"))
    assert not is_failure(errors.NoEndpoint("x"))


@pytest.mark.parametrize(
    ("status", "error", "failed"),
    [
        (200, None, False),
        (499, None, False),
        (500, None, True),
        (None, None, None),
        (None, ConnectionLost("x"), True),
        (200, ConnectionLost("x"), True),
        (None, QueueFull("x"), None),
        (None, BadRequest("x"), None),
    ],
)
def test_attempts(status: int | None, error: ProxyError | None, failed: bool | None) -> None:
    """S-57: an attempt without an answer and without an error is one that the client did not wait for."""
    asked = exchange()
    attempt = Attempt(Endpoint("http://a.test"), asked, asked.request, 1, 0.0)
    attempt.status, attempt.error = status, error
    assert has_failed(attempt) is failed


def test_who_asked() -> None:
    """An address, of IPv6 the first 64 bits, and nobody where the exchange is gone."""

    def attempt(client: str) -> bytes | str | None:
        asked = exchange(client=client)
        return who_asked(Attempt(Endpoint("http://a.test"), asked, asked.request, 1, 0.0))

    assert attempt("192.0.2.1") != attempt("192.0.2.2")
    assert attempt("2001:db8::1") == attempt("2001:db8::ffff:1")
    assert attempt("2001:db8::1") != attempt("2001:db8:0:1::1")
    asked = exchange()
    late, gone = Attempt(Endpoint("http://a.test"), asked, asked.request, 1, 0.0), ref(asked)
    del asked
    assert gone() is None
    assert who_asked(late) is None
