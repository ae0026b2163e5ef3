"""`PathPolicy`: one reading of every target, or none."""

from __future__ import annotations

import re
import time
from dataclasses import FrozenInstanceError
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.errors import BadRequest
from revproxy.paths import EmptySegments, EncodedSlash, PathPolicy, Reading, below, canonical, locate

open_reader = PathPolicy().bind(conditions=False)
strict_reader = PathPolicy().bind(conditions=True)
READERS = [pytest.param(open_reader, id="no conditions"), pytest.param(strict_reader, id="conditions")]
POLICIES = [
    PathPolicy(encoded_slash=slash, empty_segments=empty)
    for slash in ("refuse", "keep", "decode")
    for empty in ("refuse", "keep", "merge")
]

PIECES = [
    *("/", "//", "a", "A", "b.c", ".", "..", "...", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "\\", "%00", "\0"),
    *(";", ";x", "%3B", "%3b", "?", "#", "%", "%2", "%zz", "%25", "%252e", "%252F", "%3F", "%23", " ", "%20", "\x7f"),
    *("~", "%7e", "%41", '"', "<", "[", "|", "^", "`", "{", "*", "%2a", "+", "é", "\udce9", "%c3%A9", "%e9", "\uff0e"),
    *("%c0%ae", "\udcc0\udcae", "%E0%80%AE", "%f0%80%80%AE", "%F8%80%80%80%AE", "%C1%9c", "%u002e", "%0a", "\n"),
]
targets = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "/" + "".join(pieces))


def reading(reader: object, target: str) -> Reading | None:
    assert callable(reader)
    try:
        result = reader(target)
    except BadRequest:
        return None
    assert isinstance(result, Reading)
    return result


def naive(target: str, slash: str, empty: str) -> Reading | None:
    """The same by other means: bytes, segment by segment, with the standard library's codecs."""
    if target == "*":
        return Reading("*", "*", None)
    if any(ord(c) <= 0x20 or c in "\x7f#" for c in target):
        return None
    raw, mark, query = target.partition("?")
    raw = raw or "/"
    if not raw.startswith("/") or "\\" in raw:
        return None
    if any(re.fullmatch("[0-9A-Fa-f]{2}", piece[:2]) is None for piece in raw.split("%")[1:]):
        return None
    decoded = unquote_to_bytes(raw.encode("utf-8", "surrogateescape"))
    if b"\0" in decoded or b"\\" in decoded or overlong(decoded):
        return None
    if any(segment.partition(b";")[0] in (b".", b"..") for segment in decoded.split(b"/")):
        return None
    if "%2f" in raw.lower():
        if slash == "refuse":
            return None
        if slash == "decode":
            raw = raw.replace("%2F", "/").replace("%2f", "/")
    if "//" in raw:
        if empty == "refuse":
            return None
        while empty == "merge" and "//" in raw:
            raw = raw.replace("//", "/")
    segments = (unquote_to_bytes(segment.encode("utf-8", "surrogateescape")) for segment in raw.split("/"))
    path = "/".join(quote_from_bytes(segment, safe="!$&'()*+,;=:@~") for segment in segments)
    return Reading(f"{raw}{mark}{query}", path, query if mark else None)


def overlong(data: bytes) -> bool:
    for at, first in enumerate(data):
        second = data[at + 1] if at + 1 < len(data) else 0
        if first in (0xC0, 0xC1) and 0x80 <= second <= 0xBF:
            return True
        if (first, second & 0xE0) == (0xE0, 0x80) or (first, second & 0xF0) == (0xF0, 0x80):
            return True
        if (first, second & 0xF8) == (0xF8, 0x80) or (first, second & 0xFC) == (0xFC, 0x80):
            return True
    return False


@given(targets, st.sampled_from(POLICIES))
@example("/a/%2e.;x%2F", POLICIES[0])
@example("/\udcc0\udcae", POLICIES[4])
@example("/a%2F/%2Fb//", POLICIES[8])
def test_reads_like_a_naive_reader(target: str, policy: PathPolicy) -> None:
    """S-35, S-36, S-37, S-38: for any target, the reading is that of a reader written another way."""
    expected = naive(target, policy.encoded_slash, policy.empty_segments)
    assert reading(policy.bind(conditions=True), target) == expected


@given(targets, st.sampled_from(POLICIES))
def test_idempotent(target: str, policy: PathPolicy) -> None:
    """What is sent upstream reads again as itself: a second proxy behind this one sees the same path."""
    read = policy.bind(conditions=True)
    first = reading(read, target)
    if first is not None:
        assert read(first.target) == first


@given(targets, st.sampled_from(POLICIES))
def test_canonical_path_has_one_reading(target: str, policy: PathPolicy) -> None:
    """A canonical path is ASCII, reads as itself, and decoding it any number of times finds no dot segment."""
    read = policy.bind(conditions=True)
    found = reading(read, target)
    if found is None:
        return
    assert found.path.isascii()
    assert read(found.path).path == found.path
    assert canonical(found.path) == found.path
    decoded = unquote_to_bytes(found.path)
    assert not {b".", b".."} & {segment.partition(b";")[0] for segment in decoded.split(b"/")}
    assert not {b"\\", b"\0"} & {bytes([byte]) for byte in decoded}


@given(targets, targets)
def test_equal_readings_decode_to_equal_bytes(one: str, other: str) -> None:
    """Two targets have one path exactly if they decode, segment by segment, to the same bytes."""
    first, second = reading(open_reader, one), reading(open_reader, other)
    if first is not None and second is not None:

        def segments(target: str) -> list[bytes]:
            raw = target.partition("?")[0].encode("utf-8", "surrogateescape")
            return [unquote_to_bytes(segment) for segment in raw.split(b"/")]

        assert (first.path == second.path) == (segments(one) == segments(other))


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No target makes the reader fail in another way than with BadRequest, surrogates of any kind included."""
    for reader in (open_reader, strict_reader):
        found = reading(reader, text)
        if found is not None:
            assert found.target.encode("utf-8", "surrogateescape")
            assert not re.search("[\0-\x20\x7f#]", found.target)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a",
        "/a/",
        "/a/b.c/.well-known/...",
        "/~user/%7Euser",
        "/%41%c3%a9%C3%A9/é/\udce9",
        "/a;jsessionid=1/b,c=d:@!$&'()*+",
        "/a%3Fb%23c%3Bd%25e%20",
        "/a%252e%252e%252Fb",
        "/?",
        "/a?",
        "/a??b=?",
        "/a?x=1&x=2&y&=&;z+%zz%&é&/../\\&%00",
    ],
)
def test_sent_byte_for_byte(read: object, target: str) -> None:
    """F-02, F-03, F-07: what is no trouble is sent as it came, a trailing `?` and any query included."""
    found = reading(read, target)
    assert found is not None
    assert found.target == target
    assert found.query == (target.partition("?")[2] if "?" in target else None)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/%61%2D%2e%5F%7e%30", "/a-._~0"),
        ("/%21%24%26%27%28%29%2a%2b%2c%3b%3d%3a%40", "/!$&'()*+,;=:@"),
        ("/%3f%23%5b%5d%25%2f%22%7c", "/%3F%23%5B%5D%25%2F%22%7C"),
        ('/"<>^`{|}[]', "/%22%3C%3E%5E%60%7B%7C%7D%5B%5D"),
        ("/café", "/caf%C3%A9"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/caf\udcc3\udca9", "/caf%C3%A9"),
        ("/caf\udce9", "/caf%E9"),
        ("/caf%e9", "/caf%E9"),
        ("/%252e%252e", "/%252e%252e"),
        ("/a%0d%0ab", "/a%0D%0Ab"),
        ("/Admin", "/Admin"),
        ("/admin.", "/admin."),
        ("/admin%20", "/admin%20"),
        ("/admin%2F", "/admin%2F"),
        ("/\uff0e\uff0e/x", "/%EF%BC%8E%EF%BC%8E/x"),
    ],
)
def test_canonical(target: str, path: str) -> None:
    """F-12, S-38, S-39: everything is decoded once and encoded in one way; what differs stays different."""
    assert open_reader(target) == Reading(target, path, None)


@pytest.mark.parametrize(("target", "sent", "query"), [("", "/", None), ("?a", "/?a", "a"), ("?", "/?", "")])
def test_empty_path(target: str, sent: str, query: str | None) -> None:
    """F-02: an empty path becomes `/`, and only that."""
    assert strict_reader(target) == Reading(sent, "/", query)


def test_asterisk() -> None:
    """F-10: `*` is read as itself, and nothing longer is."""
    assert strict_reader("*") == Reading("*", "*", None)
    for target in ("**", "*?", "*/", "*#"):
        assert reading(strict_reader, target) is None


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "target",
    [
        *("/..", "/../", "/a/..", "/a/../b", "/.", "/./a", "/a/.", "/a/..?x", "/a/.?x"),
        *("/%2e%2e", "/%2E%2e/a", "/.%2e/", "/%2e./", "/%2e", "/a/%2e%2e%2fb", "/a%2f..", "/a%2F..%2Fb", "/..%2f"),
        *("/..;/a", "/..;x=1/a", "/a/..;", "/.;x/a", "/%2e%2e;x", "/..%3b/a", "/..%3Bx"),
    ],
)
def test_dot_segments_are_refused(read: object, target: str) -> None:
    """S-35, S-37: dot segments in any disguise are refused, whether or not the proxy decides by the path."""
    with pytest.raises(BadRequest, match="dot segment"):
        read(target)  # type: ignore[operator]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/a\\b", "backslash"),
        ("/a%5cb", "backslash"),
        ("/a%5C..%5Cb", "backslash"),
        ("/a%00", "NUL"),
        ("/a\0", "control character"),
        ("/a?\0", "control character"),
        ("/a b", "control character, space"),
        ("/a?b c", "control character, space"),
        ("/a\tb", "control character"),
        ("/a\x7f", "control character"),
        ("/a\r\nX: y", "control character"),
        ("/a?\r\n", "control character"),
        ("/a#", "fragment"),
        ("/a?b#c", "fragment"),
        ("/%", "percent"),
        ("/%2", "percent"),
        ("/%zz", "percent"),
        ("/%%41", "percent"),
        ("/%u002e%u002e/", "percent"),
        ("/%C0%AE%C0%AE/", "overlong"),
        ("/%c0%af", "overlong"),
        ("/%C1%9C", "overlong"),
        ("/\udcc0\udcaf", "overlong"),
        ("/%C0\udcaf", "overlong"),
        ("/%E0%80%AF", "overlong"),
        ("/%E0%9F%BF", "overlong"),
        ("/%F0%80%80%AF", "overlong"),
        ("/%F0%8F%BF%BF", "overlong"),
        ("/%F8%80%80%80%AF", "overlong"),
        ("/%FC%80%80%80%80%AF", "overlong"),
        ("a", "origin form"),
        ("a/b", "origin form"),
        ("http://evil.test/", "origin form"),
        ("//evil.test\\@a/", "backslash"),
        ("evil.test:443", "origin form"),
        ("/\ud800", "control character"),
    ],
)
def test_refused(read: object, target: str, why: str) -> None:
    """F-11, S-37, S-38: what no honest client sends is refused, and the message says which trouble it is."""
    with pytest.raises(BadRequest, match=why):
        read(target)  # type: ignore[operator]


@pytest.mark.parametrize("target", ["/\r\nForged: line", "/\x1b[2J\\", "/<script>/../"])
def test_message_quotes_nothing(target: str) -> None:
    """The message holds nothing of the target: it goes into a log."""
    with pytest.raises(BadRequest) as caught:
        strict_reader(target)
    assert re.fullmatch(r"[A-Za-z -,]+ in the (path|target)", str(caught.value))


@pytest.mark.parametrize(
    "target", ["//", "//evil.test/p", "/a//b", "/a//", "///", "/a%2Fb", "/a%2fb", "/%2F", "/a%2F/"]
)
def test_auto(target: str) -> None:
    """F-04, S-36, S-37: `//` and `%2F` pass untouched where nothing is decided by the path, else they are refused."""
    assert open_reader(target).target == target
    assert reading(strict_reader, target) is None


@pytest.mark.parametrize(
    ("slash", "empty", "target", "sent", "path"),
    [
        ("decode", "keep", "/a%2Fb%2fc?%2F", "/a/b/c?%2F", "/a/b/c"),
        ("decode", "merge", "/a%2F%2fb%2F/c//", "/a/b/c/", "/a/b/c/"),
        ("keep", "merge", "//evil.test///p//?//", "/evil.test/p/?//", "/evil.test/p/"),
        ("keep", "merge", "/a/%2F/%2f", "/a/%2F/%2f", "/a/%2F/%2F"),
        ("keep", "keep", "//a%2fb//", "//a%2fb//", "//a%2Fb//"),
        ("decode", "keep", "/%252F%2F", "/%252F/", "/%252F/"),
        ("decode", "refuse", "/%41%2Fé", "/%41/é", "/A/%C3%A9"),
    ],
)
def test_policy_normalises(slash: EncodedSlash, empty: EmptySegments, target: str, sent: str, path: str) -> None:
    """S-36, S-37: what a policy normalises is matched and sent in the same form, the rest byte for byte."""
    query = target.partition("?")[2] if "?" in target else None
    for conditions in (False, True):
        assert PathPolicy(encoded_slash=slash, empty_segments=empty).bind(conditions=conditions)(target) == Reading(
            sent, path, query
        )


@pytest.mark.parametrize(
    ("policy", "target"),
    [
        (PathPolicy(encoded_slash="refuse"), "/a%2Fb"),
        (PathPolicy(empty_segments="refuse"), "/a//b"),
        (PathPolicy(encoded_slash="decode", empty_segments="refuse"), "/a%2F/b"),
        (PathPolicy(encoded_slash="decode", empty_segments="merge"), "/a%2F..%2F%2F"),
    ],
)
def test_policy_refuses(policy: PathPolicy, target: str) -> None:
    """What a policy refuses is refused also without path conditions, and after decoding."""
    with pytest.raises(BadRequest):
        policy.bind(conditions=False)(target)


@pytest.mark.parametrize(
    ("parameter", "value"), [("encoded_slash", "merge"), ("encoded_slash", ""), ("empty_segments", "decode")]
)
def test_bad_policy(parameter: str, value: str) -> None:
    """An unknown word is a ValueError that names the parameter and the value."""
    with pytest.raises(ValueError, match=f"{parameter} must be one of .*, got {value!r}"):
        PathPolicy(**{parameter: value})  # type: ignore[arg-type]


@given(targets, st.data())
@example("/%41%c3%A9\udce9{é/%2f", None)
def test_places_of_a_canonical_path(target: str, data: st.DataObject | None) -> None:
    """A piece of a canonical path is found in what it was read from; a place within an encoded character is none."""
    raw = target.partition("?")[0]
    if re.search("%(?![0-9A-Fa-f]{2})", raw):
        with pytest.raises(BadRequest, match="percent"):
            locate(raw)
        return
    path, find = canonical(raw), locate(raw)
    places = [place for place in range(len(path) + 1) if find(place) is not None]
    characters = re.findall("%[0-9A-Fa-f]{2}|[^%]", raw)
    assert len(places) == len(characters) + 1
    assert (find(0), find(len(path))) == (0, len(raw))
    first, last = (0, -1) if data is None else sorted(data.draw(st.tuples(*[st.integers(0, len(places) - 1)] * 2)))
    assert canonical(raw[find(places[first]) : find(places[last])]) == path[places[first] : places[last]]


@given(targets, st.sampled_from(["", "/a", "/a/b.c", "/a//a", "/caf%C3%A9", "/A", "/%25"]))
@example("/a//a/b", "/a//a")
def test_below(target: str, prefix: str) -> None:
    """F-05: what is left behind a prefix are the segments behind it, byte for byte, and the query."""
    found = reading(open_reader, target)
    if found is None:
        return
    rest = below(prefix, found.path, found.target)
    wanted, segments = prefix.split("/")[1:], found.target.partition("?")[0].split("/")[1:]
    if [canonical(segment) for segment in segments[: len(wanted)]] != wanted:
        assert rest is None
        return
    mark = "?" if "?" in target else ""
    assert rest == f"/{'/'.join(segments[len(wanted) :])}{mark}{found.query or ''}"


def test_policy_is_a_value() -> None:
    """Policies are frozen and compared by value."""
    assert PathPolicy() == PathPolicy(encoded_slash="auto", empty_segments="auto")
    with pytest.raises(FrozenInstanceError):
        PathPolicy().encoded_slash = "keep"  # type: ignore[misc]


@pytest.mark.parametrize(
    "target",
    [
        "/" + "a" * 8190,
        "/" * 8191,
        "/a" * 4095,
        "/a" * 4095 + "//",
        "/." * 4095,
        "/.a" * 2730,
        "/" + "%2e" * 2730,
        "/" + "%2F" * 2730,
        "/" + ".;" * 4095,
        "/a" * 4095 + "\\",
        "/a?" + "b" * 8187 + "#",
        "/" + "%C0" * 2729,
        "/" + "é" * 4095,
        "/" + "%" * 8190,
        "%2F" * 2730,
    ],
)
def test_time_is_linear(target: str) -> None:
    """S-53: the longest target that a server lets in takes milliseconds, whatever is in it."""
    before = time.perf_counter()
    for policy in POLICIES:
        reading(policy.bind(conditions=True), target)
    assert time.perf_counter() - before < 1.0
