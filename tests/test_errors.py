"""The error tree: every failure says who, when, and what the client is told."""

from __future__ import annotations

import inspect

import pytest

from revproxy import errors
from revproxy.errors import Origin, Phase, ProxyError

LEAVES = sorted(
    (each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, ProxyError)),
    key=lambda each: each.__name__,
)

RFC_9209 = frozenset(
    {
        "dns_timeout",
        "dns_error",
        "destination_not_found",
        "destination_unavailable",
        "destination_ip_prohibited",
        "destination_ip_unroutable",
        "connection_refused",
        "connection_terminated",
        "connection_timeout",
        "connection_read_timeout",
        "connection_write_timeout",
        "connection_limit_reached",
        "tls_protocol_error",
        "tls_certificate_error",
        "tls_alert_received",
        "http_request_error",
        "http_request_denied",
        "http_response_incomplete",
        "http_response_header_section_size",
        "http_response_header_size",
        "http_response_body_size",
        "http_response_trailer_section_size",
        "http_response_trailer_size",
        "http_response_transfer_coding",
        "http_response_content_coding",
        "http_response_timeout",
        "http_upgrade_failed",
        "http_protocol_error",
        "proxy_internal_response",
        "proxy_internal_error",
        "proxy_configuration_error",
        "proxy_loop_detected",
    }
)
"""RFC 9209 section 2.3."""


@pytest.mark.parametrize("error", LEAVES)
def test_every_error_is_complete(error: type[ProxyError]) -> None:
    """F-112: every failure has an origin, a phase, a registered token, and a status that fits its origin."""
    assert isinstance(error.origin, Origin)
    assert isinstance(error.phase, Phase)
    assert error.token in RFC_9209
    assert error.__doc__
    allowed: dict[Origin, set[int | None]] = {
        Origin.CLIENT: {204, 400, 401, 403, 405, 408, 413, 415, 417, 421, 422, 431, 501, 505, 508, None},
        Origin.PROXY: {500, 503, None},
        Origin.UPSTREAM: {502, 504},
        Origin.POLICY: {404, 429, 502, 503, 504, None},
    }
    if error.phase is Phase.TUNNEL:  # the client has its answer
        assert error.status is None
    else:
        assert error.status in allowed[error.origin]


@pytest.mark.parametrize("error", LEAVES)
def test_titles_say_nothing_of_the_inside(error: type[ProxyError]) -> None:
    """What the client reads names no upstream, endpoint, address or proxy, and is no sentence of the message."""
    assert error.title
    for word in ("upstream", "endpoint", "proxy", "connect ", "dns", "tls", "socket", "filter"):
        assert word not in error.title.lower()
    assert "10.0.0.1" not in error("refused by 10.0.0.1").title


@pytest.mark.parametrize("error", LEAVES)
def test_what_the_client_or_a_policy_did_is_not_retried(error: type[ProxyError]) -> None:
    """Another attempt never helps against what the client did or the developer decided."""
    if error.origin in (Origin.CLIENT, Origin.POLICY):
        assert not error.retryable


def test_connect_failures_are_one_family() -> None:
    """Nothing was sent: whoever asks whether another endpoint may be tried need name one class only."""
    for error in (errors.DnsFailed, errors.TlsFailed, errors.ConnectTimeout):
        assert issubclass(error, errors.ConnectFailed)
        assert error.phase is Phase.CONNECT
        assert error.retryable
    assert errors.ConnectTimeout.status == 504


def test_truncation_is_not_retried() -> None:
    """A body that has begun cannot be sent again: neither a truncated nor a silent one."""
    assert not errors.Truncated.retryable
    assert not errors.StreamTimeout.retryable
    assert issubclass(errors.StreamTimeout, errors.Truncated)


@pytest.mark.parametrize(("seconds", "said"), [(1.0, "1"), (0.1, "1"), (2.5, "3"), (60, "60")])
def test_retry_after(seconds: float, said: str) -> None:
    """Who is refused for too much load is told when to come again, in whole seconds; each answer has its own."""
    error = errors.Overloaded("too many", retry_after=seconds)
    assert error.fields == {"Retry-After": said}
    assert (error.status, error.retryable, errors.Overloaded.fields) == (503, False, {})
    assert errors.BudgetSpent("full", retry_after=seconds).fields == error.fields


def test_rate_limited() -> None:
    """RFC 6585 section 4: who has asked for too much is told when to come again, unless he need not; and what else
    there is to say."""
    assert errors.RateLimited("x", retry_after=0.2).fields == {"Retry-After": "1"}
    assert errors.RateLimited("x", retry_after=float("inf")).fields == {}
    assert errors.RateLimited("x", fields={"RateLimit": "y"}).fields == {"Retry-After": "1", "RateLimit": "y"}
    assert (errors.RateLimited.status, errors.RateLimited.fields) == (429, {})


def test_content() -> None:
    """RFC 9110 section 15.5.16: who sent what is not taken is told what is; and of what does not fit, where. Each
    answer has its own."""
    error = errors.UnsupportedMediaType("image/gif", fields={"Accept": "image/png"})
    assert (error.status, error.fields, errors.UnsupportedMediaType().fields) == (415, {"Accept": "image/png"}, {})
    said = {"errors": [{"in": "body", "pointer": "#"}]}
    assert errors.UnprocessableContent("body", members=said).members == said
    assert (errors.UnprocessableContent.status, errors.UnprocessableContent().members) == (422, {})
    assert errors.ProxyError.members == {}


def test_all_is_complete() -> None:
    """Every error is public."""
    assert {each.__name__ for each in LEAVES} <= set(errors.__all__)


def test_phase_of_one_instance() -> None:
    """Who raises an error may say another phase; the class keeps its own."""
    error = errors.ClientDisconnected("gone")
    error.phase = Phase.REQUEST
    assert errors.ClientDisconnected.phase is Phase.DELIVER
