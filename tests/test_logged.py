"""What of a request may stand in a log."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Pipeline, ProxyHandler, respond
from revproxy.filters.auth import ApiKey, digest_of
from revproxy.logged import escaped, type_said, without_values

from .e2e.wire import serving


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/a?b=c&d=&e&f=g=h#", "/a?b=...&d=&...&f=..."),
        ("/a=b", "/a=b"),
        ("/?token=s3cret?x=y", "/?token=..."),
        ("/?=s3cret&&", "/?=...&&"),
        ("/?s3cret", "/?..."),
        ("/?eyJhbGciOi.s3cret&x=1", "/?...&x=..."),
        ("/?a&s3cret", "/?...&..."),
        ("/?", "/?"),
        ("/cb#access_token=s3cret&x", "/cb#access_token=...&..."),
        ("s3cret=a?b=c", "s3cret=a?b=..."),
        ("/reset;token=s3cret", "/reset;token=..."),
        ("/a;b=s3cret;c=s3cret/d;e=?f=s3cret", "/a;b=...;c=.../d;e=?f=..."),
        ("/a%3btoken=s3cret/b=c", "/a%3btoken=.../b=c"),
        ("/a;jsessionid;b=", "/a;jsessionid;b="),
        ("/a;b=s3cret%3Bs3cret;;c", "/a;b=...%3B...;;..."),
    ],
)
def test_values_of_a_query(target: str, said: str) -> None:
    """S-72: of a query, and of parameters in a path, the log has the names, never a value, nor what may be one."""
    assert without_values(target) == said


@given(st.lists(st.sampled_from(["s3cret", "a", "=", "&", "?", ";", "/", "%3B", "#"]), max_size=12).map("".join))
def test_no_value_of_a_query(query: str) -> None:
    """S-72: wherever a secret stands in a query, but as the name of a value, it is not told."""
    said = without_values(f"/?{query}").partition("?")[2]
    for part in said.split("&"):
        assert "s3cret" not in part.rpartition("=")[2] or "s3cret" in part.partition("=")[0]


@pytest.mark.parametrize("unit", [";", "%3B", "a;=", "?", "&", "=", "#", "/", "?a=", "&a", ";a", "a"])
def test_long_targets(unit: str) -> None:
    """S-72: time is linear in the length of a target, whatever it is made of; its square would be half a minute."""
    target = "/" + unit * (65536 // len(unit))
    before = time.process_time()
    for each in (target, f"{target}=", f"/?{target}"):
        without_values(each)
    assert time.process_time() - before < 1


@given(st.text(max_size=400))
def test_escaped(text: str) -> None:
    """One line of printable ASCII, without a way out of double quotes."""
    said = escaped(text)
    assert said.isascii()
    assert said.isprintable()
    assert '"' not in said.replace("\\\\", "").replace('\\"', "")


@pytest.mark.parametrize("target", ["/x?access_token=s3cret&password=s3cret", "/%00?key=s3cret", "/x/?a=b&x=s3cret#y"])
async def test_no_log_has_a_value_of_a_query(target: str, caplog: pytest.LogCaptureFixture) -> None:
    """S-72: neither that of errors nor that of refusals, whether a filter or the edge has refused it."""
    caplog.set_level(logging.DEBUG)
    proxy = ProxyHandler(Pipeline(ApiKey({"robot": digest_of("k" * 20)}), handler=respond(200)))
    async with serving(proxy) as site:
        assert (await site.ask(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())).status in (400, 401)
    said = [each.getMessage() for each in caplog.records if each.name.startswith("revproxy.")]
    assert any(target.partition("?")[0] in each for each in said)
    assert not [each for each in said if "s3cret" in each]


def test_types() -> None:
    """A type is said as it came, with all its values, cut to some 64 characters."""
    assert [type_said(each) for each in ([], ["a/b"], ["a/b", ""])] == ["there is none", "a/b", "a/b, "]
    assert type_said(["x" * 65] * 3) == "x" * 64 + "..."
