"""Who asks: requests of their own, and cookies that are kept."""

from __future__ import annotations

from multidict import CIMultiDict

from revproxy import Response
from revproxy.testing.simulate.clients import Client, clients


def test_requests_of_their_own() -> None:
    """Each is from the client's address, and what is done to one draft is not done to another."""
    client = Client("10.0.0.1")
    one, two = client.ask(3.0), client.ask(4.0)
    one.request.headers["X"] = "1"
    assert (one.started, two.started) == (3.0, 4.0)
    assert str(one.inbound.client) == str(two.inbound.client) == "10.0.0.1"
    assert "X" not in two.request.headers
    assert "X" not in client.ask(5.0).request.headers


def test_addresses() -> None:
    """Everybody has one of his own."""
    crowd = clients(range(70_000))
    assert len({str(client.ask(0.0).inbound.client) for client in crowd[65_000:66_000]}) == 1000
    assert str(crowd[65_536].ask(0.0).inbound.client) == "10.1.0.0"


def test_cookies() -> None:
    """They are kept, replaced, and forgotten when the server says so."""
    client = Client("10.0.0.1")

    def told(*cookies: str) -> dict[str, str]:
        client.told(Response(200, CIMultiDict(("Set-Cookie", each) for each in cookies)))
        return dict(client.ask(0.0).inbound.cookies)

    assert told() == {}
    assert told("a=1; Path=/; HttpOnly", "b=2") == {"a": "1", "b": "2"}
    assert told("a=3") == {"a": "3", "b": "2"}
    assert told() == {"a": "3", "b": "2"}
    assert told("b=2; Max-Age=0") == {"a": "3"}
    assert client.ask(0.0).request.headers["Cookie"] == "a=3"
    assert repr(client) == "<Client 10.0.0.1 cookies=['a']>"
    assert told("a=") == {}
    assert "Cookie" not in client.ask(0.0).request.headers
