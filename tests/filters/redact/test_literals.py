"""What is outside of the strings of JSON."""

from __future__ import annotations

import json

import pytest

from revproxy.filters.redact import Detector, Fixed, LastFour, Mask, SameLength, Token
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.literals import is_number, mask_literals, mask_rest, quotes
from revproxy.filters.redact.spelling import JSON

from .test_stream import redacted

MASKS: tuple[Mask, ...] = (Fixed("[x]"), SameLength(), LastFour(), Token(b"k" * 32))
NAMES = [type(each).__name__ for each in MASKS]


def test_quotes() -> None:
    """Those that are escaped are none."""
    assert quotes(rb'"a" \" \\" x') == 3


def test_is_number() -> None:
    """It is one where a value may be."""
    assert is_number(b"[12, 345]", 5, 8)
    assert not is_number(b"a 345", 2, 5)
    assert not is_number(b"[12a]", 1, 4)


def test_the_rest() -> None:
    """Nothing is left but what JSON is made of."""
    assert mask_rest(b"12ab,{}[]: 1.5e\\", SameLength(), is_inside=False) == b"9999,{}[]: 9.999"
    assert mask_rest(b'a\\"b", "c": 12, tru', SameLength(), is_inside=True) == b'****", "*": 99, 999'
    assert mask_rest(b'ab", "c', Fixed("[x]"), is_inside=True) == b'", "'


@pytest.mark.parametrize("mask", MASKS, ids=NAMES)
def test_what_swallows_strings(mask: Mask) -> None:
    """S-65: even of what swallows quotes JSON stays, however it is cut."""
    engine = Engine([Detector("zz", b"zz", swallow=rb"a-z0-9\",:\[\]", mask=mask)])
    text = b'[["zz", 1],["zzab","' + b"c" * 700 + b'",123456,["x","12"],true], {"zz":"' + b"d" * 600 + b'","e":"f"}]'
    whole = redacted(engine, [text], JSON)
    assert [type(each) for each in json.loads(whole[0])[1]] == [str, str, int, list, int]
    for place in range(0, len(text), 3):
        assert redacted(engine, [text[:place], text[place:]], JSON) == whole, place


def test_what_goes_beyond_a_string() -> None:
    """Strings are masked each by itself, and what stands between them stays."""
    assert mask_literals(b'"a": "bc", 1', Fixed("[x]"), b"", is_inside=False) == b'"[x]": "[x]", 9'
    assert mask_literals(b'b\\"c", tru', Fixed("[x]"), b"", is_inside=True) is None
    assert mask_literals(b'bc", true,', SameLength(), b"", is_inside=True) == b'**", true,'
    assert mask_literals(b"4111 1111", SameLength(), b"", is_inside=False) is None
    assert mask_literals(b"words, and", SameLength(), b"", is_inside=False) is None


@pytest.mark.parametrize("mask", MASKS, ids=NAMES)
def test_json_stays_json(mask: Mask) -> None:
    """Whatever a detector takes for a secret, what was JSON is JSON."""
    whole = Detector("whole", rb'"secret": ?"[a-z]{1,20}"', mask=mask)
    text = b'{"a": [{"secret": "abc", "n": 1}, {"secret":"xyz"}], "b": "\\"secret\\": 1"}'
    out = redacted(Engine([whole]), [text])[0]
    assert all("abc" not in each.values() for each in json.loads(out)["a"])
    greedy = Detector("greedy", rb"[^x]{8,40}", mask=mask)
    numbers = b'[{"password":""},12345678,[1,2,34567890]]'
    assert json.loads(redacted(Engine([greedy]), [numbers])[0])


@pytest.mark.parametrize("mask", MASKS, ids=NAMES)
def test_a_long_number(mask: Mask) -> None:
    """S-65: a number that is swallowed is a number, of as many digits, however the text is cut; what comes behind all
    that a mask is told by is nines."""
    engine = Engine([Detector("pin", rb'"pin": ?\d{4,9}', swallow=rb"0-9", mask=mask)])
    named = Engine([Detector("pin", rb'(?<="pin": )\d{4,9}', swallow=rb"0-9", mask=mask)])
    text = b'{"pin": ' + b"1234567890" * 120 + b', "a": "1"}'
    for each in (engine, named):
        whole = redacted(each, [text], JSON)
        assert whole[1] == ["pin"]
        assert b"1234567890" not in whole[0]
        for place in range(0, len(text), 3):
            assert redacted(each, [text[:place], text[place:]], JSON) == whole, place
    number = redacted(named, [text], JSON)[0][8:].partition(b",")[0]
    assert number.isdigit()
    assert len(number) == 1200
