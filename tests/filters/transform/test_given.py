"""What may be replaced."""

from __future__ import annotations

import re
from typing import Any

import pytest

from revproxy.filters.transform.given import searchers_of


@pytest.mark.parametrize(
    ("replacements", "message"),
    [
        ({}, "replacements must be 1 to 64, got 0"),
        ({str(number): "" for number in range(65)}, "replacements must be 1 to 64, got 65"),
        ({"": "x"}, "a text to be replaced has 1 to 1024 characters, got ''"),
        ({"x" * 1025: "x"}, "a text to be replaced has 1 to 1024 characters, got"),
        ({re.compile("a*"): "x"}, "'a*' matches without a bound; 4096 is the most: say {0,40} for *, {1,40} for +"),
        ({re.compile("a+"): "x"}, "'a+' matches without a bound"),
        ({re.compile(".{5000}"): "x"}, "matches up to 5000 characters"),
        ({re.compile("a(?=b*)"): "x"}, "looks ahead without a bound"),
        ({re.compile("(?:a{0,9}){0,9}b"): "x"}, "a choice within a loop"),
        ({re.compile("a{0,3}"): "x"}, "'a{0,3}' matches nothing at all"),
        ({re.compile("(?=a)"): "x"}, "'(?=a)' matches nothing at all"),
        ({re.compile("^a"): "x"}, "asks where the text begins or ends"),
        ({re.compile(r"a\Z"): "x"}, "asks where the text begins or ends"),
        ({re.compile("a"): r"\1"}, r"is no template for 'a'"),
        ({re.compile("a"): r"\g<b>"}, "is no template for 'a'"),
    ],
    ids=range(15),
)
def test_not_replaced(replacements: dict[Any, Any], message: str) -> None:
    """What has no bound, or takes too long, or is nothing, is an error that says which."""
    with pytest.raises(ValueError, match=r"^replacements") as error:
        searchers_of(replacements, str, ignore_case=False, costly=False)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "replacements",
    [["a"], {b"a": "b"}, {"a": b"b"}, {"a": len}, {re.compile(b"a"): "b"}, {re.compile("a"): 1}, {1: "a"}],
    ids=range(7),
)
def test_types(replacements: Any) -> None:
    """Texts are replaced by texts, and never bytes by them."""
    with pytest.raises(TypeError, match=r"^replacements"):
        searchers_of(replacements, str, ignore_case=False, costly=False)


def test_costly() -> None:
    """What may take long is taken if somebody says so."""
    assert searchers_of({re.compile("(?:a{0,9}){0,9}b"): "x"}, str, ignore_case=False, costly=True)
    assert searchers_of({re.compile(rb"\xe9{1,3}\d"): b"x"}, bytes, ignore_case=False, costly=False)


def test_a_function_that_returns_something_else() -> None:
    """What a function returns has to be of the same type."""
    (searcher,) = searchers_of({re.compile("a"): lambda match: 1}, str, ignore_case=False, costly=False)
    found = searcher.find("a", 0)
    assert found is not None
    with pytest.raises(TypeError, match=r"^a replacement must be str, got 1 for 'a'"):
        found.text()
