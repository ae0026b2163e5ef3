"""Sessions that the proxy remembers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import Response, Upstream
from revproxy.affinity import TableAffinity, set_cookie
from revproxy.balancers import RoundRobin, keys
from revproxy.errors import SessionLost
from revproxy.exchange import Attempt
from revproxy.testing import FakeClock, FakeTransport, exchange

URLS = [f"http://{number}.test" for number in range(3)]


def upstream(affinity: TableAffinity, transport: FakeTransport | None = None) -> Upstream:
    return Upstream(*URLS, affinity=affinity, balancer=RoundRobin(), transport=transport or FakeTransport())


async def at(subject: Upstream, client: str | None = "192.0.2.1", **fields: str) -> str:
    asked = exchange(client=client, headers=fields)
    await subject(asked)
    return asked.attempts[0].endpoint.name


async def test_idle_sessions_are_forgotten() -> None:
    """Every request keeps a session; after ``idle`` seconds without one the next begins another."""
    clock = FakeClock()
    subject = upstream(TableAffinity(idle=10.0, clock=clock))
    assert await at(subject) == URLS[0]
    for _ in range(3):
        clock.advance(9)
        assert await at(subject) == URLS[0]
    clock.advance(10)
    assert await at(subject) == URLS[1]


async def test_bounded() -> None:
    """Of more than ``size`` sessions the one that was silent longest is forgotten, and memory does not grow."""
    affinity = TableAffinity(size=2)
    subject = upstream(affinity)
    assert [await at(subject, client=f"192.0.2.{number}") for number in (1, 2)] == URLS[:2]
    assert await at(subject, client="192.0.2.1") == URLS[0]
    assert await at(subject, client="192.0.2.3") == URLS[2]  # 2 was silent longest
    assert await at(subject, client="192.0.2.1") == URLS[0]
    assert repr(affinity) == "<TableAffinity of 2 sessions, gone='redistribute'>"
    for number in range(500):
        await at(subject, client=f"10.0.{number >> 8}.{number & 255}")
    assert "of 2 sessions" in repr(affinity)


async def test_by_a_field() -> None:
    """A key of one's own; who has none has no session."""
    affinity = TableAffinity(keys.header("X-Session"))
    subject = upstream(affinity)
    assert [await at(subject, **{"X-Session": each}) for each in ("a", "b", "a", "b")] == [URLS[0], URLS[1]] * 2
    assert [await at(subject) for _ in range(3)] == [URLS[2], URLS[0], URLS[1]]
    assert "of 2 sessions" in repr(affinity)


async def test_by_prefix() -> None:
    """Who moves within a network stays."""
    subject = upstream(TableAffinity(keys.client_address(v6=56)))
    assert await at(subject, client="2001:db8:0:1::1") == await at(subject, client="2001:db8:0:f::2")
    assert await at(subject, client=None) == URLS[1]


async def test_learnt_from_the_application() -> None:
    """A session begins where the application gives out its cookie, and follows one that it changes."""
    sessions = iter(["one", "two", "three"])

    def answer(attempt: Attempt) -> Response:
        logs_in = attempt.request.target == "/login"
        return Response(200, CIMultiDict({"Set-Cookie": f"SID={next(sessions)}; Path=/"}) if logs_in else None)

    affinity = TableAffinity(keys.cookie("SID"), learn=set_cookie("SID"))
    subject = upstream(affinity, FakeTransport(answer))

    async def ask(target: str, cookie: str = "") -> str:
        asked = exchange(target=target, headers={"Cookie": f"SID={cookie}"} if cookie else None)
        await subject(asked)
        return asked.attempts[0].endpoint.name

    assert await ask("/login") == URLS[0]
    assert await ask("/login") == URLS[1]
    assert [await ask("/", "one"), await ask("/", "two"), await ask("/", "one")] == [URLS[0], URLS[1], URLS[0]]
    assert await ask("/login", "two") == URLS[1]  # a new name for the session, as after a login
    assert await ask("/", "three") == URLS[1]


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40))
def test_reading_set_cookie(line: str) -> None:
    """Any line is read or passed over."""
    value = set_cookie("SID")(Response(200, CIMultiDict({"Set-Cookie": line})))
    assert value is None or line.partition(";")[0].partition("=")[0].strip(" \t") == "SID"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SID=a", "a"),
        (' SID = "a b" ; Path=/', "a b"),
        ("SID=; Max-Age=0", None),
        ("SID=deleted; Max-Age=0", None),
        ("SID=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Path=/", None),
        ("SID=a; Expires=Thu, 01 Jan 2970 00:00:01 GMT", "a"),
        ("SID=a; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=60", "a"),
        ("SID=a; Expires=soon; Max-Age=x", "a"),
        ("sid=a", None),
        ("XSID=a", None),
        ("SID", None),
        ("a=SID=b", None),
    ],
)
def test_set_cookie(line: str, value: str | None) -> None:
    """The value of the cookie of that name, which has case; a deletion is none."""
    assert set_cookie("SID")(Response(200, CIMultiDict({"Set-Cookie": line}))) == value


def test_the_last_line_counts() -> None:
    """As browsers read it: deleted, then set anew."""
    lines = [("Set-Cookie", "SID=deleted; Max-Age=0"), ("Set-Cookie", "SID=new"), ("Set-Cookie", "other=1")]
    assert set_cookie("SID")(Response(200, CIMultiDict(lines))) == "new"
    assert set_cookie("SID")(Response(200, CIMultiDict(lines[::-1]))) is None


async def test_made_up_keys_push_out_nothing_that_was_learnt() -> None:
    """Whoever invents sessions pushes out other inventions alone."""

    def answer(attempt: Attempt) -> Response:
        return Response(200, CIMultiDict({"Set-Cookie": "SID=real"}) if attempt.request.target == "/login" else None)

    affinity = TableAffinity(keys.cookie("SID"), learn=set_cookie("SID"), size=4)
    subject = upstream(affinity, FakeTransport(answer))
    asked = exchange(target="/login")
    await subject(asked)
    home = asked.attempts[0].endpoint.name
    for number in range(100):
        await at(subject, Cookie=f"SID={number}")
    assert [await at(subject, Cookie="SID=real") for _ in range(3)] == [home] * 3
    assert "of 5 sessions" in repr(affinity)


async def test_asking_does_not_keep_alive_what_is_gone() -> None:
    """A session that is refused ends when it would have ended without the requests that were refused."""
    clock = FakeClock()
    subject = upstream(TableAffinity(idle=10.0, gone="refuse", clock=clock))
    assert await at(subject) == URLS[0]
    subject.remove(subject.endpoints[0])
    for _ in range(3):
        clock.advance(3)
        with pytest.raises(SessionLost):
            await at(subject)
    clock.advance(3)
    assert await at(subject) in URLS[1:]


@pytest.mark.parametrize(
    ("options", "says"), [({"size": 0}, "size"), ({"idle": 0}, "idle"), ({"idle": float("inf")}, "idle")]
)
def test_bad_settings(options: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TableAffinity(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a cookie's name"):
        set_cookie("a b")
