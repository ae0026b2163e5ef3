"""JSON as only one reading of it is possible."""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.filters.validate import JsonLimits, Malformed, Schema, read_json

DEFAULT = JsonLimits()
BIG = JsonLimits(big_integers=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)
NEARLY = st.text(st.sampled_from('{}[],:"\\ue0123D8 \n-+.tfn\u00e9'), max_size=24)
"""Text that is nearly JSON."""


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def values_in(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(values_in, value.values()))
    return 1 + sum(map(values_in, value)) if isinstance(value, list) else 1


def reason(data: bytes, limits: JsonLimits = DEFAULT) -> str:
    with pytest.raises(Malformed) as refused:
        read_json(data, limits)
    return refused.value.reason


def has_surrogate(value: Any) -> bool:
    return any(0xD800 <= ord(each) < 0xE000 for each in json.dumps(value, ensure_ascii=False))


@given(VALUES, st.booleans(), st.none() | st.integers(0, 3))
def test_what_json_dumps_writes(value: Any, ascii_only: bool, indent: int | None) -> None:
    """Whatever a program writes is read as what it is."""
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    read = read_json(data, BIG)
    assert read.value == value
    assert values_in(value) <= read.values <= 2 * values_in(value)


@given(VALUES)
def test_depth(value: Any) -> None:
    """The linear scan finds exactly the depth that is there, brackets in strings notwithstanding."""
    data = json.dumps([value, ']]}[[{{\\"[']).encode()
    depth = 1 + depth_of(value)
    assert read_json(data, JsonLimits(depth=depth, big_integers=True)).value
    if depth > 1:
        assert reason(data, JsonLimits(depth=depth - 1)) == "depth"


@given(NEARLY)
@example('{"a":1,"\\u0061":2}')
@example('"\\ud83d\\ude00"')
@example('"\\\\ud800"')
@example('["\\ude00\\ud83d"]')
@example('"\\ud800"')
@example("1e999")
@example("\ufeff1")
def test_against_the_standard_library(text: str) -> None:
    """What is taken is what json.loads reads, to the value; what it takes and this does not has a name."""
    try:
        expected = json.loads(text)
    except ValueError:
        expected = ValueError
    try:
        found = read_json(text.encode(), DEFAULT).value
    except Malformed as error:
        if expected is ValueError:
            return
        if error.reason == "number":
            said = json.dumps(expected)
            assert "Infinity" in said or "NaN" in said or "0.0" in said or re.search("[0-9]{19}", said)
        elif error.reason == "duplicate":
            assert text.count(":") > json.dumps(expected).count(":")
        elif error.reason != "string" or not has_surrogate(expected):
            raise
    else:
        assert found == expected
        assert not has_surrogate(found)


@given(st.binary(max_size=30))
@example(b"\xef\xbb\xbf{}")
@example('{"a":1}'.encode("utf-16"))
@example(b'"\xed\xa0\x80"')
@example(b'"\xc0\xaf"')
def test_any_bytes(data: bytes) -> None:
    """Whatever comes is read as UTF-8 alone, or refused; nothing else is raised."""
    try:
        value = read_json(data, DEFAULT).value
    except Malformed as error:
        if error.offset is not None and not 0 <= error.offset <= len(data):
            raise
    else:
        assert json.loads(data.decode()) == value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "syntax"),
        (b"{", "syntax"),
        (b"{}{}", "syntax"),
        (b"{'a':1}", "syntax"),
        (b"[1,]", "syntax"),
        (b"01", "syntax"),
        (b"+1", "syntax"),
        (b".5", "syntax"),
        (b"0x10", "syntax"),
        (b"/**/1", "syntax"),
        (b"\xef\xbb\xbf{}", "syntax"),
        (b"\x0c1", "syntax"),
        ("\u00a01".encode(), "syntax"),
        ("\uff11".encode(), "syntax"),
        (b"NaN", "number"),
        (b"[-Infinity]", "number"),
        (b"[1e400]", "number"),
        (b"[-1E+400]", "number"),
        (b"9" * 309, "number"),
        (b"9" * 308 + b"e9", "number"),
        (b'{"p":-1e-400}', "number"),
        (b"1e-999", "number"),
        (b"[0.01E-323]", "number"),
        (b"9" * 308, "number"),
        (b"[9223372036854775808]", "number"),
        (b"[-9223372036854775809]", "number"),
        (b'{"a":1,"a":1}', "duplicate"),
        (b'[{"a":{"b":1,"\\u0062":2}}]', "duplicate"),
        (b'"a', "string"),
        (b'"a\nb"', "string"),
        (b'"\\x41"', "string"),
        (b'"\\u+123"', "string"),
        (b'"\\u12"', "string"),
        (b'"\\ud800"', "string"),
        (b'"\\udc00\\ud800"', "string"),
        (b'{"\\ud800x":1}', "string"),
        (b'"\xff"', "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        (b"[" * 65 + b"]" * 65, "depth"),
        (b"[" * 100_000, "depth"),
        (b'{"a":' * 1_000_000, "depth"),
        (b"]" * 1000 + b"[" * 1000, "syntax"),
    ],
)
def test_refused(data: bytes, expected: str) -> None:
    """What has two readings, or none, is refused, and said why; what is deep, before anything recurses."""
    assert reason(data) == expected


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b'{"a": nope}', 6),
        ('{"\u00e9": nope}'.encode(), 7),
        (b'["a", "\\ud800"]', 6),
        (b'"ab\xff"', 3),
        (b'["a\\"b]', 1),
    ],
)
def test_where(data: bytes, offset: int) -> None:
    """The place is said in bytes."""
    with pytest.raises(Malformed, match=f"at byte {offset}$") as refused:
        read_json(data, DEFAULT)
    assert refused.value.offset == offset


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b" \t\r\n1 ", 1),
        (b"-0", 0),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"[9223372036854775808.5, 1e19]", [9223372036854775808.5, 1e19]),
        (b"1e308", 1e308),
        (b"5e-324", 5e-324),
        (b"[0e-999, -0.00E+999]", [0.0, -0.0]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\u0000"', "\0"),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_taken(data: bytes, value: object) -> None:
    """What has one reading passes, however odd."""
    read = read_json(data, DEFAULT).value
    assert value is None or read == value


def test_the_deepest() -> None:
    """The most that may be set is what a schema can be asked of, whether it fits or not."""
    data = b'[{"a":' * 127 + b"[1]" + b"}]" * 127
    value = read_json(data, JsonLimits(depth=255)).value
    assert depth_of(value) == 255
    assert Schema({"not": {"const": 1}}).violations(value, values=255) == []
    assert Schema({"const": 1}).violations(value, values=255) == [{"pointer": "#", "keyword": "const"}]


def test_values() -> None:
    """S-50: many short values cost more than a few long ones, and are counted."""
    assert reason(b"[" + b"[]," * 60_000 + b"[]]") == "values"
    assert reason(b"[1,2,3]", JsonLimits(values=3)) == "values"
    assert read_json(b'["' + b"," * 1000 + b'",2,3]', JsonLimits(values=4)).value[1:] == [2, 3]


def test_big_integers_on_demand() -> None:
    """Who wants them has them, to the last digit of 308."""
    assert read_json(b"9" * 308, BIG).value == 10**308 - 1
    assert reason(b"9" * 309, BIG) == "number"
    assert read_json(b'["%b"]' % (b"9" * 308), DEFAULT).value == ["9" * 308]


@pytest.mark.parametrize("data", [b"[9223372036854775807,-9223372036854775808]", b"[1e300,1e301]", b"[5e-324,0]"])
def test_numbers_that_a_schema_tells_apart(data: bytes) -> None:
    """S-50: those that are taken are told apart."""
    assert Schema({"uniqueItems": True}).is_valid(read_json(data, DEFAULT).value)


@pytest.mark.parametrize("unit", [b'\\"', b'\\\\\\"', b'"', b'"\\"', b'\\u"', b'"\\\\'])
@pytest.mark.parametrize("end", [b"", b"\n", b"\\x"])
def test_strings_without_an_end(unit: bytes, end: bytes) -> None:
    """S-50: where a string has no end, the quotes in it are not tried as beginnings of others: a megabyte takes
    milliseconds, where the square of its length would be hours."""
    data = b'{"a":"' + unit * ((1 << 20) // len(unit)) + end
    before = time.process_time()
    with pytest.raises(Malformed):
        read_json(data, DEFAULT)
    assert time.process_time() - before < 1


def test_duplicates_on_demand() -> None:
    """Who wants them has them; the last one counts."""
    assert read_json(b'{"a":1,"a":2}', JsonLimits(duplicates=True)).value == {"a": 2}
    assert reason(b'{"a":1e999,"a":2}', JsonLimits(duplicates=True)) == "number"
    assert not math.isinf(read_json(b"1e10", JsonLimits(duplicates=True)).value)


@pytest.mark.parametrize("options", [{"depth": 0}, {"depth": 256}, {"depth": True}, {"values": 0}, {"values": 1.5}])
def test_no_limits(options: dict[str, Any]) -> None:
    """A limit that is none is refused by name."""
    with pytest.raises(ValueError, match=next(iter(options))):
        JsonLimits(**options)


def test_messages_quote_nothing() -> None:
    """What was read is nowhere in what is said of it."""
    for data in (
        b'{"secret":1,"secret":2}',
        b'{"secret":nope}',
        b'["secret\\ud800"]',
        b"[1234567e999]",
        b'"secret\xff"',
    ):
        with pytest.raises(Malformed) as refused:
            read_json(data, DEFAULT)
        assert "secret" not in str(refused.value)
        assert "1234567" not in str(refused.value)
        assert refused.value.__cause__ is None
