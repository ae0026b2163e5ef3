"""The way back of paths, found out of what was asked and what was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.hiding.route import Route, route
from revproxy.message import Move


@pytest.mark.parametrize(
    ("came", "sent", "moves", "base", "path", "back"),
    [
        # As filters tell.
        ("/app/x", "/x", [("/app", "")], "", "/y", "/app/y"),
        ("/app", "/", [("/app", "")], "", "/y", "/app/y"),
        ("/x", "/v2/x", [("", "/v2")], "", "/v2/y", "/y"),
        ("/app/app/x", "/app/x", [("/app", "")], "/b", "/b/app/y", "/app/app/y"),
        ("/a/b/x", "/c/x", [("/a", ""), ("/b", "/c")], "", "/c/y", "/a/b/y"),
        # As nobody tells.
        ("/app/x", "/x", [], "", "/y", "/app/y"),
        ("/app/x/", "/x/", [], "/b", "/b/y", "/app/y"),
        ("/x", "/v2/x", [], "", "/v2/y", "/y"),
        ("/m/app/x", "/x", [("/m", "")], "", "/y", "/m/app/y"),
        ("/x", "/x", [], "", "/y", "/y"),
    ],
)
def test_found(came: str, sent: str, moves: list[Move | None], base: str, path: str, back: str) -> None:
    """F-105: from what filters tell of their rewriting, and else from the paths, if segments in front explain it."""
    found = route(came, sent, moves, base)
    assert found is not None
    assert found.back(path) == back


@pytest.mark.parametrize(
    ("came", "sent", "moves"),
    [
        ("/users/5/posts", "/posts/by/5", []),
        ("/users/5/posts", "/posts/by/5", [None]),
        ("/app/x/avatar", "/avatar", [("/app", ""), None]),
        ("/app", "/", []),
        ("/anything/", "/", []),
        ("*", "*x", []),
        ("/x", "/y", [("/app", "")]),
    ],
)
def test_unknown(came: str, sent: str, moves: list[Move | None]) -> None:
    """F-105: what has no one explanation is not guessed."""
    assert route(came, sent, moves, "") is None


SEGMENT = st.sampled_from(["a", "b", "ab", "%2F", "x.y", "~"])
PATH = st.lists(SEGMENT, max_size=4).map(lambda segments: "".join(f"/{each}" for each in segments))


@given(st.lists(PATH, max_size=3), st.lists(PATH, max_size=3), PATH, st.sampled_from(["/", "/x"]))
def test_there_and_back(taken: list[str], put: list[str], path: str, end: str) -> None:
    """F-105: what was asked is found again, whatever was taken off in front of it, and put there."""
    rest = path + end
    came, sent = "".join(taken) + rest, "".join(reversed(put)) + rest
    found = route(came, sent, [*((each, "") for each in taken), *(("", each) for each in put)], "/base")
    assert found is not None
    assert found.back(f"/base{sent}") == came


def test_truth() -> None:
    """A route that changes nothing is false."""
    assert not Route([("", ""), ("/a", "/a")])
    assert Route([("/a", "")])
    assert repr(Route([("/a", ""), ("", "")])) == "Route([('/a', '')])"
