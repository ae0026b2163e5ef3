"""``Proxy-Status``: how a name is written, and what is said."""

from __future__ import annotations

import pytest

from revproxy.endpoint import Endpoint
from revproxy.errors import ConnectTimeout, NoRoute
from revproxy.exchange import Attempt
from revproxy.proxy_status import member, name_of
from revproxy.testing import exchange


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("edge", "edge"),
        ("edge.example.net:8080", "edge.example.net:8080"),
        ("*", "*"),
        ("my edge", '"my edge"'),
        ("8", '"8"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
    ],
)
def test_names(name: str, written: str) -> None:
    """F-112: a name is a token where it can be one, else a string (RFC 8941 section 3.3)."""
    assert name_of(name) == written


@pytest.mark.parametrize("name", ["", "caf\xe9", "a\nb", "\x7f"])
def test_what_is_no_name(name: str) -> None:
    """What neither a token nor a string can have is refused at composition."""
    with pytest.raises(ValueError, match="proxy_status: "):
        name_of(name)


def test_members() -> None:
    """F-112: the kind of an error, and what the upstream has answered, as far as there is any."""
    asked = exchange()
    assert member("edge", asked, None) == "edge"
    assert member("edge", asked, NoRoute("x")) == "edge; error=destination_not_found"
    attempt = Attempt(Endpoint("http://a"), asked, asked.request, 1, 0.0)
    asked.attempts.append(attempt)
    assert member("edge", asked, ConnectTimeout("10.0.0.1")) == "edge; error=connection_timeout"
    attempt.status = 503
    assert member("edge", asked, None) == "edge; received-status=503"
