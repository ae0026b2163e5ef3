"""How a response body is delimited: the whole of RFC 9112 section 6.3."""

from __future__ import annotations

from itertools import product

import pytest

from revproxy.errors import ProtocolError
from revproxy.wire import framing as policy
from revproxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE, Framing

V10, V11 = (1, 0), (1, 1)

METHODS = ["GET", "HEAD", "POST", "OPTIONS", "QUERY"]
STATUSES = [100, 103, 199, 200, 201, 204, 205, 206, 301, 304, 400, 404, 500, 599]


def framing(method: str, status: int, version: tuple[int, int], lengths: list[str], codings: list[str]) -> Framing:
    """What is decided for these lines: several of one name are as good as one with a list (RFC 9110 section 5.3)."""
    length = ", ".join(lengths) if lengths else None
    coding = ", ".join(codings) if codings else None
    return policy.framing(method, status, version, length, coding)


@pytest.mark.parametrize(
    ("method", "status", "version", "lengths", "codings", "expected"),
    [
        # 1. HEAD, 1xx, 204, 304: ended by the empty line, whatever the fields say
        ("HEAD", 200, V11, ["5"], [], NO_BODY),
        ("HEAD", 200, V11, [], ["chunked"], NO_BODY),
        ("HEAD", 200, V11, [], [], NO_BODY),
        ("HEAD", 200, V10, [], [], NO_BODY),
        ("HEAD", 404, V11, ["0"], [], NO_BODY),
        ("HEAD", 304, V11, ["5"], [], NO_BODY),
        ("GET", 100, V11, [], [], NO_BODY),
        ("GET", 103, V11, [], [], NO_BODY),
        ("POST", 199, V11, ["0"], [], NO_BODY),
        ("GET", 204, V11, [], [], NO_BODY),
        ("GET", 204, V11, ["0"], [], NO_BODY),
        ("GET", 204, V10, [], [], NO_BODY),
        ("GET", 304, V11, [], [], NO_BODY),
        ("GET", 304, V11, ["5"], [], NO_BODY),
        ("GET", 304, V11, [], ["chunked"], NO_BODY),
        # 4. a final coding of chunked
        ("GET", 200, V11, [], ["chunked"], CHUNKED),
        ("POST", 500, V11, [], ["Chunked"], CHUNKED),
        ("GET", 205, V11, [], ["CHUNKED"], CHUNKED),
        # 6. a valid length
        ("GET", 200, V11, ["5"], [], 5),
        ("GET", 200, V10, ["5"], [], 5),
        ("GET", 200, V11, ["0"], [], 0),
        ("GET", 205, V11, ["0"], [], 0),
        ("GET", 206, V11, ["9" * 18], [], 10**18 - 1),
        # 8. else until the connection closes
        ("GET", 200, V11, [], [], UNTIL_CLOSE),
        ("GET", 200, V10, [], [], UNTIL_CLOSE),
        ("POST", 599, V11, [], [], UNTIL_CLOSE),
        ("GET", 205, V11, [], [], UNTIL_CLOSE),
    ],
)
def test_table(
    method: str, status: int, version: tuple[int, int], lengths: list[str], codings: list[str], expected: Framing
) -> None:
    """RFC 9112 section 6.3, case by case (F-56, F-57, F-58)."""
    result = framing(method, status, version, lengths, codings)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "codings",
    [
        ["gzip, chunked"],
        ["chunked, gzip"],
        ["gzip"],
        ["identity"],
        ["identity, chunked"],
        ["chunked, chunked"],
        ["chunked", "chunked"],
        ["gzip", "chunked"],
        ["chunked", ""],
        [""],
        ["chunked,"],
        [", chunked"],
        ["xchunked"],
        ["chunkedx"],
        ["chunked;q=1"],
        ['"chunked"'],
        ["\x0bchunked"],
        ["\xa0chunked"],
        ["chun ked"],
    ],
    ids=repr,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_codings_but_chunked_are_refused(method: str, codings: list[str]) -> None:
    """Any coding but exactly ``chunked``, once, is refused, to HEAD as well: two readers could differ on it (F-62,
    S-03, S-04)."""
    with pytest.raises(ProtocolError, match="Transfer-Encoding"):
        framing(method, 200, V11, [], codings)


@pytest.mark.parametrize(
    "lengths",
    [
        ["5", "5"],
        ["5", "6"],
        ["5", ""],
        ["0", "0"],
        ["5, 5"],
        ["5,6"],
        [""],
        ["05"],
        ["00"],
        ["+5"],
        ["-5"],
        ["-0"],
        ["5.0"],
        ["0x5"],
        ["5e0"],
        ["1_0"],
        ["5 5"],
        ["five"],
        ["\u0665"],  # an Arabic five: a digit to int(), and to str.isdigit()
        ["\u00b2"],  # a superscript two: a digit to str.isdigit() only
        ["5\x00"],
        ["1" + "0" * 18],
        ["0" * 19],
        ["9" * 4000],
    ],
    ids=lambda lengths: repr(lengths)[:30],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_lengths_that_are_none_are_refused(method: str, lengths: list[str]) -> None:
    """Only one ``Content-Length`` of digits is one, in the one way to write it; lists and repetitions are refused even
    if they agree (F-61, S-02)."""
    for status in (200, 204, 304):
        with pytest.raises(ProtocolError, match="Content-Length"):
            framing(method, status, V11, lengths, [])


@pytest.mark.parametrize(("method", "status"), list(product(["GET", "HEAD"], [200, 204, 304, 100])))
def test_both_are_refused(method: str, status: int) -> None:
    """``Transfer-Encoding`` beside ``Content-Length`` is how responses are smuggled: refused, whatever they say (F-61,
    S-01)."""
    for length in ("0", "5"):
        with pytest.raises(ProtocolError, match="both"):
            framing(method, status, V11, [length], ["chunked"])


@pytest.mark.parametrize(("method", "status"), list(product(METHODS, STATUSES)))
def test_coding_in_http_1_0_is_refused(method: str, status: int) -> None:
    """HTTP/1.0 has no transfer codings: a message with one is faulty (RFC 9112 section 6.1; F-63, S-05)."""
    with pytest.raises(ProtocolError, match=r"HTTP/1\.0"):
        framing(method, status, V10, [], ["chunked"])


@pytest.mark.parametrize("status", [100, 103, 199, 204])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_no_body_declares_none(method: str, status: int) -> None:
    """A body announced for a 1xx or 204, which cannot have one, is refused: its bytes would be the next response
    (F-57)."""
    with pytest.raises(ProtocolError, match=f"Content-Length 5 in a {status}"):
        framing(method, status, V11, ["5"], [])
    with pytest.raises(ProtocolError, match=f"Transfer-Encoding in a {status}"):
        framing(method, status, V11, [], ["chunked"])


def naive(
    method: str, status: int, version: tuple[int, int], lengths: list[str], codings: list[str]
) -> Framing | type[ProtocolError]:
    """RFC 9112 section 6.3 read aloud, with everything doubtful refused."""
    bodiless = status < 200 or status == 204
    if codings and (version == V10 or lengths or codings != ["chunked"] or bodiless):
        return ProtocolError
    if lengths not in ([], ["0"], ["5"]) or (bodiless and lengths == ["5"]):
        return ProtocolError
    if bodiless or method == "HEAD" or status == 304:
        return NO_BODY
    if codings:
        return CHUNKED
    return int(lengths[0]) if lengths else UNTIL_CLOSE


@pytest.mark.parametrize("method", METHODS)
def test_every_combination(method: str) -> None:
    """Every combination of method, status, version, length and coding is decided as the RFC, read aloud, does."""
    some_lengths: list[list[str]] = [[], ["0"], ["5"], ["5", "5"], ["x"]]
    some_codings: list[list[str]] = [[], ["chunked"], ["gzip"], ["chunked", "chunked"]]
    for status, version, lengths, codings in product(STATUSES, [V10, V11], some_lengths, some_codings):
        expected = naive(method, status, version, lengths, codings)
        result: Framing | type[ProtocolError]
        try:
            result = framing(method, status, version, lengths, codings)
        except ProtocolError:
            result = ProtocolError
        assert result == expected, (method, status, version, lengths, codings)
