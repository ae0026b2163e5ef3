"""Tables of places."""

from __future__ import annotations

import pytest

from revproxy.json_stream import Fate, JsonPath, places


def paths(*several: str) -> list[JsonPath]:
    return [JsonPath.of(path) for path in several]


def test_fates() -> None:
    """Where everything stays, or goes, nothing has to be looked into."""
    root = places(only=paths("a.b", "c"), without=paths("c.d"))
    assert (root.fate, root.scalars, root.objects, root.arrays) == (Fate.LOOK, False, True, False)
    assert root.other.fate is Fate.DROP
    assert root.named[b"a"].named[b"b"].fate is Fate.KEEP
    assert (root.named[b"c"].fate, root.named[b"c"].scalars) == (Fate.LOOK, True)
    assert root.named[b"c"].named[b"d"].fate is Fate.DROP
    assert root.named[b"c"].other.fate is Fate.KEEP
    assert repr(root) == "<Place to look>"


@pytest.mark.parametrize(
    ("only", "without", "fate"),
    [
        (["**"], [], Fate.KEEP),
        (["**"], ["**"], Fate.DROP),
        (None, ["**"], Fate.DROP),
        (["a.**"], [], Fate.LOOK),
    ],
)
def test_any_depth(only: list[str] | None, without: list[str], fate: Fate) -> None:
    """``**`` is no step, too: the document itself."""
    assert places(only=None if only is None else paths(*only), without=paths(*without)).fate is fate


def test_as_many_as_there_are() -> None:
    """Paths that need too many places are refused, not tried."""
    deep = ["**." + ".".join([name] + ["*"] * 16) for name in "ab"]
    with pytest.raises(ValueError, match=r"^paths: these need more than 4096 places"):
        places(without=paths(*deep))
