"""Names and passwords: right ones, wrong ones, and many at once."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from unittest import mock

import pytest

from revproxy import Exchange, Response
from revproxy.errors import Overloaded, Unauthorized
from revproxy.filters.auth import BasicAuth, basic, hash_of
from revproxy.identity import PRINCIPAL
from revproxy.testing import FakeClock, exchange
from tests.wire import turns, until

USERS = {"ada": hash_of("lovelace"), "bob": hash_of("pässwörd")}


async def who(exchange: Exchange) -> Response:
    assert "Authorization" not in exchange.request.headers
    return Response(200, {"X-Who": str(exchange.get(PRINCIPAL))})


def asked(name: str, password: str, scheme: str = "Basic") -> Exchange:
    return exchange(headers={"Authorization": f"{scheme} {b64encode(f'{name}:{password}'.encode()).decode()}"})


async def test_right() -> None:
    """The scheme's case makes no difference; names and passwords are UTF-8 (RFC 7617 section 2.1)."""
    subject = BasicAuth(USERS)
    assert (await subject(asked("ada", "lovelace", "basic"), who)).headers["X-Who"] == "ada (basic)"
    assert (await subject(asked("bob", "pässwörd"), who)).headers["X-Who"] == "bob (basic)"


@pytest.mark.parametrize(
    "said",
    [
        "Basic",
        "Basic !!",
        "Basic " + b64encode(b"ada").decode(),
        "Basic " + b64encode(b"\xff:x").decode(),
        "Bearer " + b64encode(b"ada:lovelace").decode(),
        "Basic " + b64encode(b"ada:" + b"x" * 5000).decode(),
        "Basic " + b64encode(b"ada:wrong").decode(),
        "Basic " + b64encode(b"eve:lovelace").decode(),
        "Basic " + b64encode(b"ada:").decode(),
    ],
)
async def test_wrong(said: str) -> None:
    """401, with the realm; also where it may be left away, for what is wrong is not nothing."""
    for subject in (BasicAuth(USERS, realm="staff"), BasicAuth(USERS, realm="staff", optional=True)):
        with pytest.raises(Unauthorized) as raised:
            await subject(exchange(headers={"Authorization": said}), who)
        assert raised.value.fields == {"WWW-Authenticate": 'Basic realm="staff", charset="UTF-8"'}


async def test_nothing_shown() -> None:
    """Is refused, or nobody."""
    with pytest.raises(Unauthorized):
        await BasicAuth(USERS)(exchange(), who)
    assert (await BasicAuth(USERS, optional=True)(exchange(), who)).headers["X-Who"] == "None"


async def test_what_was_right_is_remembered() -> None:
    """For a while, and only that very password of that very name; what was wrong never is, and nobody's takes as
    long."""
    clock = FakeClock()
    subject = BasicAuth(USERS, remember=60, clock=clock)
    with mock.patch.object(basic, "_scrypt", wraps=basic._scrypt) as scrypt:
        for password, times in (("lovelace", 1), ("lovelace", 1), ("lovelacE", 2), ("lovelacE", 3)):
            try:
                await subject(asked("ada", password), who)
            except Unauthorized:
                pass
            assert scrypt.call_count == times
        with pytest.raises(Unauthorized):
            await subject(asked("eve", "lovelace"), who)
        assert scrypt.call_count == 4
        clock.advance(60)
        await subject(asked("ada", "lovelace"), who)
        assert scrypt.call_count == 5


async def test_guessing_is_bounded() -> None:
    """S-50: beyond 64 that wait nobody is let wait: 503 at once."""
    subject = BasicAuth(USERS)
    with mock.patch.object(basic, "_scrypt", return_value=b"x" * 32):
        answers = await asyncio.gather(
            *(subject(asked("ada", f"guess {number}"), who) for number in range(200)), return_exceptions=True
        )
    assert {type(each) for each in answers} == {Unauthorized, Overloaded}
    assert sum(isinstance(each, Unauthorized) for each in answers) == 64


async def test_who_leaves_gives_up_no_place() -> None:
    """S-50: clients that go away while their password is checked do not have others checked beside it: two threads at
    once, whatever is cancelled, and the next are let in when those are over."""
    subject = BasicAuth(USERS)
    go, lock = threading.Event(), threading.Lock()
    running, most, ended = 0, 0, 0

    def scrypt(*_: object) -> bytes:
        nonlocal running, most, ended
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1
            ended += 1
        return b"x" * 32

    with mock.patch.object(basic, "_scrypt", scrypt):
        for number in range(10):
            rude = [asyncio.create_task(subject(asked("ada", f"{number} {each}"), who)) for each in range(10)]
            await until(lambda: running >= 2)
            await turns()
            for task in rude:
                task.cancel()
            await asyncio.wait(rude)
        assert (most, ended) == (2, 0)
        patient = asyncio.create_task(subject(asked("ada", "wrong"), who))
        go.set()
        with pytest.raises(Unauthorized):
            await patient
        await until(lambda: ended == 3)
    assert most == 2


async def test_nobodys_takes_as_long_as_the_costliest() -> None:
    """S-73: where hashes are of other costs than those that are made now, a name that nobody has costs as much as the
    costliest."""
    salt, hashed = b64encode(b"s" * 16).decode(), b64encode(b"h" * 32).decode()
    costing = {"a": (2**14, 16), "b": (2**16, 8)}
    users = {name: f"scrypt${cost}${block}${salt}${hashed}" for name, (cost, block) in costing.items()}
    costs: list[tuple[int, int]] = []

    def scrypt(password: str, cost: int, block: int, salt: bytes) -> bytes:
        costs.append((cost, block))
        return b"x" * 32

    subject = BasicAuth({**users, **USERS})
    with mock.patch.object(basic, "_scrypt", scrypt):
        for name in ("b", "nobody"):
            with pytest.raises(Unauthorized):
                await subject(asked(name, "x"), who)
    assert costs == [(2**16, 8)] * 2


@pytest.mark.parametrize("block", [1, 2, 8, 16])
def test_each_hash_that_is_taken_can_be_asked(block: int) -> None:
    """What the constructor takes does not fail later: scrypt is told of enough memory, whatever the block."""
    hashed = basic._scrypt("lovelace", 2**14, block, b"s" * 16)
    text = f"scrypt${2**14}${block}${b64encode(b's' * 16).decode()}${b64encode(hashed).decode()}"
    assert basic._Hash.read("ada", text).is_of("lovelace")
    assert not basic._Hash.read("ada", text).is_of("lovelacE")


@pytest.mark.parametrize(("cost", "block", "taken"), [(2**20, 16, False), (2**20, 15, True), (2**20, 8, True)])
def test_the_largest_hash(cost: int, block: int, taken: bool) -> None:
    """One that needs 2 GiB, which OpenSSL cannot be told, is refused at once."""
    text = f"scrypt${cost}${block}${b64encode(b's' * 16).decode()}${b64encode(b'h' * 32).decode()}"
    if taken:
        assert repr(BasicAuth({"ada": text})) == "<BasicAuth of 1>"
    else:
        with pytest.raises(ValueError, match="users: that of 'ada' costs too much memory: 1048576 times 16"):
            BasicAuth({"ada": text})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"field": "authorization"}, "field: 'authorization' is what credentials are shown in"),
        ({"users": {}}, "users must not be empty"),
        ({"users": {"ada": "lovelace"}}, "users: that of 'ada' is no hash"),
        ({"users": {"ada": "scrypt$2$8$AAAAAAAAAAA=$AAAA"}}, "users: that of 'ada' is no hash"),
        ({"users": {"a:b": hash_of("x")}}, "users: a name has no colon"),
        ({"realm": 'a"b'}, "realm must be printable ASCII without quotes"),
        ({"remember": -1}, "remember must be at least 0 and finite, got -1"),
    ],
)
def test_nonsense(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        BasicAuth(**{"users": USERS, **options})  # type: ignore[arg-type]


def test_hashes() -> None:
    """Each has a salt of its own, and nothing of it is printed."""
    assert hash_of("x") != hash_of("x")
    assert repr(BasicAuth(USERS)) == "<BasicAuth of 2>"
