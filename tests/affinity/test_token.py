"""Tokens: who can make them, who can read them, and how keys change (algorithms row 21, S-73)."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint, Observer
from revproxy.affinity import SESSION, HeaderAffinity, Session, TokensRefused
from revproxy.affinity.token import LENGTH, Secret, raw_of
from revproxy.endpoint import EndpointState
from revproxy.events import Event
from revproxy.exchange import Attempt, Exchange
from revproxy.handler import running
from revproxy.message import Response
from revproxy.observer import hooks
from revproxy.testing import FakeClock, exchange

KEY, OTHER, THIRD = (bytes([number]) * 32 for number in range(3))
MEMBERS = tuple(Endpoint(f"http://{number}.test") for number in range(5))
TIMES = st.integers(0, (1 << 48) - 1)


def affinity(*keys: bytes, members: tuple[Endpoint, ...] = MEMBERS, **options: object) -> HeaderAffinity:
    made = HeaderAffinity(keys or KEY, **options)  # type: ignore[arg-type]
    made.bind(members)
    return made


def token(of: HeaderAffinity, endpoint: Endpoint = MEMBERS[0], asked: Exchange | None = None) -> str:
    """What a client is given for a session at ``endpoint``."""
    asked = asked or exchange()
    response = Response(200)
    of.keep(Attempt(endpoint, asked, asked.request, 1, 0.0), response)
    return response.headers.get("X-Affinity", "")


def found(of: HeaderAffinity, *tokens: str) -> Session | None:
    return of.find(exchange(headers=[("X-Affinity", each) for each in tokens]))


@given(name=st.binary(min_size=8, max_size=8), expires=TIMES, nonce=st.binary(min_size=12, max_size=12))
def test_what_is_sealed_is_opened(name: bytes, expires: int, nonce: bytes) -> None:
    """By the same key for the same purpose, and by no other."""
    sealed = Secret(KEY, "cookie a").seal(name, expires, nonce)
    raw = raw_of(sealed)
    assert raw is not None
    assert len(sealed) == LENGTH
    assert Secret(KEY, "cookie a").open(raw) == (name, expires)
    assert Secret(OTHER, "cookie a").open(raw) is None
    assert Secret(KEY, "cookie b").open(raw) is None


@given(position=st.integers(0, LENGTH - 1), character=st.characters(codec="ascii"))
def test_one_character_changed(position: int, character: str) -> None:
    """Another character anywhere makes it a token that nobody has made."""
    subject = affinity()
    good = token(subject)
    changed = good[:position] + character + good[position + 1 :]
    raw = raw_of(changed)
    assert changed == good or raw is None or Secret(KEY, "field x-affinity").open(raw) is None


@given(
    st.one_of(
        st.text(max_size=80), st.binary(min_size=43, max_size=43).map(lambda raw: urlsafe_b64encode(raw).decode())
    )
)
def test_made_up(text: str) -> None:
    """Whatever is no token is no session, and breaks nothing."""
    raw = raw_of(text)
    assert raw is None or Secret(KEY, "x").open(raw) is None


def test_two_tokens_have_nothing_in_common() -> None:
    """Neither which endpoints two clients have, nor how many there are, can be told from their tokens."""
    subject = affinity()
    raws = [raw_of(token(subject, each)) for each in (MEMBERS[0], MEMBERS[0], MEMBERS[1])]
    assert len({raw[1:] for raw in raws if raw is not None}) == 3
    for at in range(1, 43):
        drawn = {raw[at] for _ in range(100) if (raw := raw_of(token(subject))) is not None}
        assert len(drawn) > 20, at  # every byte but the version is as good as random


def test_where_it_leads() -> None:
    """To the member of that identity, in every process that has the key; or to one that is gone."""
    made = token(affinity(), MEMBERS[3])
    again = tuple(Endpoint(str(each.url)) for each in reversed(MEMBERS))
    session = found(affinity(members=again), made)
    assert session == Session(again[1])
    assert found(affinity(members=MEMBERS[:2]), made) == Session(None)
    assert found(affinity(OTHER), made) is None
    assert found(affinity()) is None


def test_keys_change_without_losing_a_session() -> None:
    """A ring believes all of its keys; a token of another than the first is exchanged with the next answer."""
    subject = affinity(KEY)
    old = token(subject)
    subject.rekey([KEY, OTHER])
    assert found(subject, old) == Session(MEMBERS[0])
    subject.rekey([OTHER, KEY])
    assert found(subject, old) == Session(MEMBERS[0], stale=True)
    asked = exchange(headers={"X-Affinity": old})
    asked[SESSION] = subject.find(asked)
    new = token(subject, MEMBERS[0], asked)
    assert new
    assert new != old
    assert found(subject, new) == Session(MEMBERS[0])
    subject.rekey(OTHER)
    assert found(subject, old) is None
    assert found(subject, new) == Session(MEMBERS[0])


def test_expiry() -> None:
    """A token is good for ``max_age`` seconds; in their second half the client is given another."""
    clock = FakeClock()
    subject = affinity(max_age=100.0, clock=clock)
    made = token(subject)
    clock.advance(49)
    assert found(subject, made) == Session(MEMBERS[0])
    clock.advance(2)
    assert found(subject, made) == Session(MEMBERS[0], stale=True)
    clock.advance(50)
    assert found(subject, made) is None


def test_told_once_while_nothing_changes() -> None:
    """Where a session goes on as it was nothing is sent; where it has moved, the client is told."""
    subject = affinity()
    asked = exchange(headers={"X-Affinity": token(subject)})
    asked[SESSION] = subject.find(asked)
    assert token(subject, MEMBERS[0], asked) == ""
    assert token(subject, MEMBERS[1], asked) != ""


def test_of_several_the_one_that_is_good() -> None:
    """Others of the same name, which somebody has slipped in, hide it not; but no more than four are looked at."""
    subject = affinity()
    good, bad = token(subject), token(affinity(OTHER))
    assert found(subject, bad, "x", good) == Session(MEMBERS[0])
    assert found(subject, *[bad] * 4, good) is None


class Watcher(Observer):
    def __init__(self) -> None:
        self.seen: list[Event] = []

    def happened(self, event: Event) -> None:
        self.seen.append(event)


async def test_forgeries_are_told_once_a_minute() -> None:
    """With how many there were, however many come; those that are merely too old are not among them."""
    clock, watcher = FakeClock(), Watcher()
    subject = affinity(max_age=10.0, clock=clock)
    subject.serves = "site"
    bad, old = token(affinity(OTHER)), token(subject)
    clock.advance(20)
    async with running(subject, hooks([watcher]).happened):
        assert found(subject, old) is None
        assert watcher.seen == []
        for _ in range(1000):
            assert found(subject, bad) is None
        assert watcher.seen == [TokensRefused("site", 1)]
        clock.advance(60)
        found(subject, "nonsense")
        assert watcher.seen[1:] == [TokensRefused("site", 1000)]
        assert "1000 affinity tokens" in str(watcher.seen[1])


@pytest.mark.parametrize(
    ("keys", "error", "says"),
    [
        (b"short", ValueError, "at least 32 bytes"),
        ([], ValueError, "1 to 8 keys"),
        ([secrets.token_bytes(32) for _ in range(9)], ValueError, "1 to 8 keys"),
        ([KEY, KEY], ValueError, "twice"),
        (["x" * 32], TypeError, "keys must be bytes, got str"),
        ("x" * 32, TypeError, "keys must be bytes, got str"),
        (bytearray(32), TypeError, "keys must be bytes, got bytearray"),
    ],
)
def test_bad_keys(keys: object, error: type[Exception], says: str) -> None:
    """Keys that are none are refused, at first and later; then nothing changes. No message has a key in it."""
    with pytest.raises(error, match=says):
        HeaderAffinity(keys)  # type: ignore[arg-type]
    subject = affinity()
    made = token(subject)
    with pytest.raises(error, match=says) as raised:
        subject.rekey(keys)  # type: ignore[arg-type]
    assert repr(KEY) not in str(raised.value)
    assert found(subject, made) == Session(MEMBERS[0])


async def test_a_draining_endpoint_is_empty_after_max_age() -> None:
    """Its tokens are good until they end, and no new ones are given for it."""
    clock = FakeClock()
    members = (Endpoint("http://0.test"),)
    subject = affinity(max_age=100.0, clock=clock, members=members)
    made = token(subject, members[0])
    members[0].state = EndpointState.DRAINING
    clock.advance(80)
    asked = exchange(headers={"X-Affinity": made})
    asked[SESSION] = subject.find(asked)
    assert asked[SESSION] == Session(members[0], stale=True)
    assert token(subject, members[0], asked) == ""


def test_one_that_leads_somewhere() -> None:
    """Of several good tokens one whose endpoint is a member counts, wherever it stands."""
    gone, good = token(affinity(members=MEMBERS[4:]), MEMBERS[4]), token(affinity(), MEMBERS[1])
    subject = affinity(members=MEMBERS[:2])
    assert found(subject, gone, good) == Session(MEMBERS[1])
    assert found(subject, gone) == Session(None)


async def test_the_field_is_the_proxys() -> None:
    """A back end's own is dropped, and an answer that has one is private."""
    subject = affinity()
    asked = exchange()
    response = Response(200, {"x-affinity": "theirs", "Cache-Control": "public"})
    subject.keep(Attempt(MEMBERS[0], asked, asked.request, 1, 0.0), response)
    assert len(response.headers.getall("X-Affinity")) == 1
    assert response.headers["X-Affinity"] != "theirs"
    assert response.headers.getall("Cache-Control") == ["public", "private"]


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Set-Cookie", "Connection", "Location"])
def test_names_that_are_taken(name: str) -> None:
    with pytest.raises(ValueError, match="has a meaning of its own"):
        HeaderAffinity(KEY, name=name)


def test_nonces_of_another_size() -> None:
    with pytest.raises(ValueError, match="nonces must give"):
        token(affinity(nonces=lambda size: b"short"))


@pytest.mark.parametrize("max_age", [0, -1, 0.5, 3e11, float("inf"), float("nan")])
def test_bad_ages(max_age: float) -> None:
    """An age is at least a second, and at most what browsers keep a cookie."""
    with pytest.raises(ValueError, match="max_age"):
        HeaderAffinity(KEY, max_age=max_age)


def test_bad_name() -> None:
    with pytest.raises(ValueError, match="name: 'a b' is not a field name"):
        HeaderAffinity(KEY, name="a b")


def _sources() -> Iterator[bytes]:
    while True:
        yield bytes(12)


def test_chance_is_a_parameter() -> None:
    """The same nonces make the same tokens."""
    source = _sources()
    one, other = (affinity(nonces=lambda size: next(source)) for _ in range(2))
    assert token(one) == token(other)
