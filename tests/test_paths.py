"""`PathPolicy`: one reading of every target, or none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from itertools import takewhile
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.canonical import canonical
from revproxy.errors import BadRequest
from revproxy.paths import PathPolicy, Reading

open_reader = PathPolicy().bind(conditions=False)
strict_reader = PathPolicy().bind(conditions=True)
READERS = [pytest.param(open_reader, id="no conditions"), pytest.param(strict_reader, id="conditions")]
CHOICES: dict[str, tuple[str, ...]] = {
    "encoded_slash": ("refuse", "keep", "decode"),
    "empty_segments": ("refuse", "keep", "merge"),
    "parameters": ("refuse", "keep", "strip"),
    "double_encoding": ("refuse", "keep", "decode"),
    "encoded_delimiters": ("refuse", "keep"),
    "dot_segments": ("refuse", "normalise"),
    "backslash": ("refuse", "normalise"),
}
policies = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in CHOICES.items()}).map(
    lambda chosen: PathPolicy(**chosen)  # type: ignore[arg-type]
)
KEEP_ALL = PathPolicy(encoded_slash="keep", empty_segments="keep", parameters="keep", double_encoding="keep")
NORMALISE_ALL = PathPolicy(
    encoded_slash="decode",
    empty_segments="merge",
    parameters="strip",
    double_encoding="decode",
    dot_segments="normalise",
    backslash="normalise",
)
REFUSE_ALL = PathPolicy(
    encoded_slash="refuse",
    empty_segments="refuse",
    parameters="refuse",
    double_encoding="refuse",
    encoded_delimiters="refuse",
)
EXTREMES = [KEEP_ALL, NORMALISE_ALL, REFUSE_ALL]

PIECES = [
    *("/", "//", "a", "A", "b.c", ".", "..", "...", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "\\", "%00", "\0"),
    *(";", ";x", "%3B", "%3b", "?", "#", "%", "%2", "%zz", "%25", "%252e", "%252F", "%3F", "%23", " ", "%20", "\x7f"),
    *("~", "%7e", "%41", '"', "<", "[", "|", "^", "`", "{", "*", "%2a", "+", "é", "\udce9", "%c3%A9", "%e9", "\uff0e"),
    *("%25%32%65", "%%32%35", "%25252e", "%255C", "%253b", "%25%", "25", "2e", "/../", "/./", "/..;/", "..", "%2f.."),
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


def naive(target: str, policy: PathPolicy) -> Reading | None:
    """The same by other means: bytes, segment by segment, with the standard library's codecs; on what is decoded, and
    with what is sent worked out character by character."""
    if target == "*":
        return Reading("*", "*", None)
    if any(ord(c) <= 0x20 or c in "\x7f#" for c in target):
        return None
    raw, mark, query = target.partition("?")
    raw = raw or "/"
    if not raw.startswith("/"):
        return None
    if any(re.fullmatch("[0-9A-Fa-f]{2}", piece[:2]) is None for piece in raw.split("%")[1:]):
        return None
    sent = characters(raw)
    if encoded_twice(sent):
        if policy.double_encoding == "refuse":
            return None
        if policy.double_encoding == "decode":
            for _ in range(20):
                sent = once_more(sent)
            sent = characters("".join(map(canonical_form, sent)))
            # What has to be put together again and again is refused.
            if encoded_twice(sent) or rounds(raw) > 4:
                return None
    decoded = b"".join(byte for byte, _ in sent)
    if b"\0" in decoded or overlong(decoded):
        return None
    if b"\\" in decoded and policy.backslash == "refuse":
        return None
    sent = [(b"/", "/") if byte == b"\\" else (byte, text) for byte, text in sent]
    if policy.encoded_delimiters == "refuse" and {b"?", b"#"} & {byte for byte, _ in sent}:
        return None
    if (b"/", "%2F") in [(byte, text.upper()) for byte, text in sent]:
        if policy.encoded_slash == "refuse":
            return None
        if policy.encoded_slash == "decode":
            sent = [(byte, "/") if byte == b"/" else (byte, text) for byte, text in sent]
    segments: list[list[tuple[bytes, str]]] = []
    for character in sent:
        if character == (b"/", "/"):
            segments.append([])
        else:
            segments[-1].append(character)
    for segment in segments:
        for part in meaning(segment).split(b"/"):
            if part.partition(b";")[0] in (b".", b"..") and part != meaning(segment):
                return None
            if part.startswith((b".;", b"..;")):
                return None
    if b";" in [byte for segment in segments for byte, _ in segment]:
        if policy.parameters == "refuse":
            return None
        if policy.parameters == "strip":
            segments = [list(takewhile(lambda character: character[0] != b";", segment)) for segment in segments]
    if [] in segments[:-1]:
        if policy.empty_segments == "refuse":
            return None
        if policy.empty_segments == "merge":
            segments = [segment for segment in segments[:-1] if segment] + segments[-1:]
    if {b".", b".."} & set(map(meaning, segments)):
        if policy.dot_segments == "refuse":
            return None
        kept: list[list[tuple[bytes, str]]] = []
        for number, segment in enumerate(segments):
            if meaning(segment) == b"..":
                if not kept:
                    return None
                kept.pop()
            if meaning(segment) not in (b".", b".."):
                kept.append(segment)
            elif number == len(segments) - 1:
                kept.append([])
        segments = kept
    sent_path = "".join("/" + "".join(text for _, text in segment) for segment in segments)
    path = "".join("/" + quote_from_bytes(meaning(segment), safe="!$&'()*+,;=:@~") for segment in segments)
    return Reading(f"{sent_path}{mark}{query}", path, query if mark else None)


def characters(raw: str) -> list[tuple[bytes, str]]:
    """What each character means, and how it is written; of several bytes the first has the text."""
    found: list[tuple[bytes, str]] = []
    for text in re.findall("%[0-9A-Fa-f]{2}|[^%]", raw):
        data = unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
        found += [(data[:1], text), *((bytes([byte]), "") for byte in data[1:])]
    return found


def meaning(segment: Sequence[tuple[bytes, str]]) -> bytes:
    return b"".join(byte for byte, _ in segment)


def is_twice(sent: Sequence[tuple[bytes, str]], at: int) -> bool:
    hexadecimal = b"0123456789abcdefABCDEF"
    return sent[at][0] == b"%" and len(sent) > at + 2 and all(byte in hexadecimal for byte, _ in sent[at + 1 : at + 3])


def encoded_twice(sent: Sequence[tuple[bytes, str]]) -> bool:
    return any(is_twice(sent, at) for at in range(len(sent)))


def once_more(sent: Sequence[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
    """Decoded where it can be, from the left to the right."""
    found: list[tuple[bytes, str]] = []
    at = 0
    while at < len(sent):
        if is_twice(sent, at):
            byte = bytes.fromhex(meaning(sent[at + 1 : at + 3]).decode())
            found.append((byte, f"%{byte.hex()}"))
            at += 3
        else:
            found.append(sent[at])
            at += 1
    return found


def canonical_form(character: tuple[bytes, str]) -> str:
    byte, text = character
    return "/" if (byte, text) == (b"/", "/") else quote_from_bytes(byte, safe="!$&'()*+,;=:@~")


def rounds(raw: str) -> int:
    """How often it must be put together anew, where all that is encoded in one go is decoded in one."""
    path = canonical(raw)
    count = 0
    while re.search("%25[0-9A-Fa-f]{2}", path):
        path = canonical(re.sub("%(?:25)+(?=[0-9A-Fa-f]{2})", "%", path))
        count += 1
    return count


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


@given(targets, policies)
@example("/a/%2e.;x%2F", REFUSE_ALL)
@example("/\udcc0\udcae", NORMALISE_ALL)
@example("/a%2F/%2Fb//", NORMALISE_ALL)
@example("/a/%255c..;%2F../b%25252e", NORMALISE_ALL)
@example("/a/;x/../b/.", NORMALISE_ALL)
@example("/a%253%2541", NORMALISE_ALL)
@example("/%25%32%65%25%32%65/x", NORMALISE_ALL)
def test_reads_like_a_naive_reader(target: str, policy: PathPolicy) -> None:
    """S-35, S-36, S-37, S-38: for any target and policy, the reading is that of a reader written another way."""
    assert reading(policy.bind(conditions=True), target) == naive(target, policy)


@given(targets, policies)
def test_idempotent(target: str, policy: PathPolicy) -> None:
    """What is sent upstream reads again as itself: a second proxy behind this one sees the same path."""
    read = policy.bind(conditions=True)
    first = reading(read, target)
    if first is not None:
        assert read(first.target) == first


@given(st.binary(max_size=40), policies)
@example(b"/%2\xc0\xaf", NORMALISE_ALL)
def test_any_bytes(data: bytes, policy: PathPolicy) -> None:
    """S-38: of arbitrary bytes, what is read is idempotent, canonical, and free of all that is never let in."""
    read = policy.bind(conditions=True)
    found = reading(read, "/" + data.decode("utf-8", "surrogateescape"))
    if found is not None:
        assert read(found.target) == found
        assert canonical(found.target.partition("?")[0]) == found.path
        assert not re.search(rb"\0|%00|\\", found.path.encode("ascii"))


@given(targets, policies)
def test_canonical_path_has_one_reading(target: str, policy: PathPolicy) -> None:
    """A canonical path is ASCII, reads as itself, and decoding it finds no dot segment, backslash or NUL."""
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


# Back ends that read a target in another way than the proxy does, each in one: what they are sent, without the query,
# as they see it.

BACK_ENDS: dict[str, Callable[[bytes], bytes]] = {
    "encoded_slash": lambda path: re.sub(b"%2[Ff]", b"/", path),
    "empty_segments": lambda path: re.sub(b"//+", b"/", path),
    "parameters": lambda path: re.sub(b"(?:;|%3[Bb])[^/]*", b"", path),
    "double_encoding": lambda path: re.sub(b"%25(?=[0-9A-Fa-f]{2})", b"%", once(path)),
    "encoded_delimiters": lambda path: re.sub(b"%(?:3[Ff]|23).*", b"", path),
    "dot_segments": lambda path: resolved(path),
    "backslash": lambda path: re.sub(rb"\\|%5[Cc]", b"/", path),
}


def once(path: bytes) -> bytes:
    """Decoded once; what is decoded a second time is seen then."""
    return canonical(path.decode("utf-8", "surrogateescape")).encode()


def resolved(path: bytes) -> bytes:
    """Without dot segments, plain or encoded, and those above the root ignored."""
    found: list[bytes] = []
    for segment in path.split(b"/")[1:]:
        match unquote_to_bytes(segment):
            case b".":
                continue
            case b"..":
                del found[-1:]
            case _:
                found.append(segment)
    return b"/" + b"/".join(found)


def segments_of(path: bytes) -> list[bytes]:
    """Decoded, and without the slash at the end that no condition looks at."""
    return [unquote_to_bytes(segment) for segment in path.removesuffix(b"/").split(b"/")]


@given(targets, policies, st.permutations(list(BACK_ENDS)), st.sets(st.sampled_from(list(BACK_ENDS))))
@example("/a;x/b", NORMALISE_ALL, list(BACK_ENDS), {"parameters"})
def test_no_back_end_sees_another_path(target: str, policy: PathPolicy, order: list[str], ways: set[str]) -> None:
    """S-35, S-36, S-37: whatever a back end makes of a target that passed, in all the ways at once that the policy does
    not keep, in any order: it sees the path that rules have matched."""
    found = reading(policy.bind(conditions=True), target)
    if found is None:
        return
    seen = sent = found.target.partition("?")[0].encode("utf-8", "surrogateescape")
    for way in order:
        if way in ways and getattr(policy, way) != "keep":
            seen = BACK_ENDS[way](seen)
    assert segments_of(seen) == segments_of(sent) == segments_of(found.path.encode())


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
        "/a=1/b,c=d:@!$&'()*+",
        "/a%3Fb%23c%25e%20",
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
        ("/%25%32%65", "/%252e"),
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
    with pytest.raises(BadRequest, match=r"dot segment|encoded slash"):
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
    assert re.fullmatch(r"[A-Za-z -,]+ in the (path|target)( \(PathPolicy\.[a-z_]+\))?", str(caught.value))


@pytest.mark.parametrize(
    "target",
    [
        *("//", "//evil.test/p", "/a//b", "/a//", "///", "/a%2Fb", "/a%2fb", "/%2F", "/a%2F/"),
        *("/a;b", "/;", "/a;", "/a;x=1/b", "/a%3Bb", "/a%3bx/b", "/a;x?y;z"),
        *("/%252e%252e", "/a%252fb", "/a%252Fb", "/%25%32%65", "/%25252e", "/100%25ab"),
    ],
)
def test_auto(target: str) -> None:
    """F-04, S-36, S-37: `//`, `%2F`, `;` and `%25` before two digits pass untouched where nothing is decided by the
    path, else they are refused."""
    assert open_reader(target).target == target
    assert reading(strict_reader, target) is None


@pytest.mark.parametrize(
    ("chosen", "target", "sent", "path"),
    [
        ({"encoded_slash": "decode", "empty_segments": "keep"}, "/a%2Fb%2fc?%2F", "/a/b/c?%2F", "/a/b/c"),
        ({"encoded_slash": "decode", "empty_segments": "merge"}, "/a%2F%2fb%2F/c//", "/a/b/c/", "/a/b/c/"),
        ({"encoded_slash": "keep", "empty_segments": "merge"}, "//e.test///p//?//", "/e.test/p/?//", "/e.test/p/"),
        ({"encoded_slash": "keep", "empty_segments": "merge"}, "/a/%2F/%2f", "/a/%2F/%2f", "/a/%2F/%2F"),
        ({"encoded_slash": "keep", "empty_segments": "keep"}, "//a%2fb//", "//a%2fb//", "//a%2Fb//"),
        ({"encoded_slash": "decode", "double_encoding": "keep"}, "/%252F%2Fx", "/%252F/x", None),
        ({"encoded_slash": "decode", "empty_segments": "refuse"}, "/%41%2Fé", "/%41/é", "/A/%C3%A9"),
        ({"parameters": "keep"}, "/a;x=1/b%3by?;", "/a;x=1/b%3by?;", "/a;x=1/b;y"),
        ({"parameters": "strip"}, "/a;x=1/b%3By;z/%63?;d", "/a/b/%63?;d", "/a/b/c"),
        ({"parameters": "strip"}, "/admin;jsessionid=1", "/admin", "/admin"),
        ({"parameters": "strip"}, "/a/;x", "/a/", "/a/"),
        ({"parameters": "strip", "empty_segments": "merge"}, "/a/;x/b", "/a/b", "/a/b"),
        ({"parameters": "strip", "encoded_slash": "keep"}, "/a;x%2Fy/b", "/a/b", "/a/b"),
        ({"double_encoding": "keep"}, "/%252e%25zz%2500", "/%252e%25zz%2500", None),
        ({"double_encoding": "decode"}, "/%2561%25zz%25", "/a%25zz%25", None),
        ({"double_encoding": "decode"}, "/%25252525c3%25a9é", "/%C3%A9%C3%A9", None),
        ({"double_encoding": "decode", "dot_segments": "normalise"}, "/a/b/%252e%25252E/c", "/a/c", None),
        ({"double_encoding": "decode", "encoded_slash": "decode"}, "/a%252fb", "/a/b", None),
        ({"double_encoding": "decode", "parameters": "strip"}, "/a%253bb/c", "/a/c", None),
        ({"double_encoding": "decode", "backslash": "normalise"}, "/a%255Cb", "/a/b", None),
        ({"encoded_delimiters": "keep"}, "/a%3fb%23c", "/a%3fb%23c", "/a%3Fb%23c"),
        ({"dot_segments": "normalise"}, "/a/./b/../c/%2E%2e/d?../..", "/a/d?../..", "/a/d"),
        ({"dot_segments": "normalise"}, "/a/..", "/", "/"),
        ({"dot_segments": "normalise"}, "/a/b/.%2e", "/a/", "/a/"),
        ({"dot_segments": "normalise"}, "/.", "/", "/"),
        ({"dot_segments": "normalise"}, "/./%7ex/.", "/%7ex/", "/~x/"),
        ({"dot_segments": "normalise"}, "/.a/..b/...", "/.a/..b/...", None),
        ({"dot_segments": "normalise", "empty_segments": "keep"}, "/a//../b", "/a/b", "/a/b"),
        ({"dot_segments": "normalise", "empty_segments": "merge"}, "/a//../b", "/b", "/b"),
        ({"dot_segments": "normalise", "encoded_slash": "decode"}, "/a%2f..%2fb", "/b", "/b"),
        ({"dot_segments": "normalise", "parameters": "strip"}, "/a;x/../b", "/b", "/b"),
        ({"dot_segments": "normalise", "backslash": "normalise"}, "/a\\..%5Cb", "/b", "/b"),
        ({"backslash": "normalise"}, "/a\\b%5cc?\\", "/a/b/c?\\", "/a/b/c"),
        ({"backslash": "normalise", "empty_segments": "merge"}, "/\\evil.test/%5C", "/evil.test/", "/evil.test/"),
    ],
)
def test_policy_normalises(chosen: Any, target: str, sent: str, path: str | None) -> None:
    """S-35, S-36, S-37: what a policy normalises is matched and sent in the same form, the rest byte for byte."""
    query = target.partition("?")[2] if "?" in target else None
    for conditions in (False, True):
        found = PathPolicy(**chosen).bind(conditions=conditions)(target)
        assert found == Reading(sent, sent.partition("?")[0] if path is None else path, query)


@pytest.mark.parametrize(
    ("chosen", "target", "why"),
    [
        ({"encoded_slash": "refuse"}, "/a%2Fb", "encoded slash in the path (PathPolicy.encoded_slash)"),
        ({"empty_segments": "refuse"}, "/a//b", "empty segment in the path (PathPolicy.empty_segments)"),
        ({"encoded_slash": "decode", "empty_segments": "refuse"}, "/a%2F/b", "empty segment"),
        ({"encoded_slash": "decode", "empty_segments": "merge"}, "/a%2F..%2F%2F", "dot segment"),
        ({"parameters": "refuse"}, "/a;x", "parameters in the path (PathPolicy.parameters)"),
        ({"parameters": "refuse"}, "/a%3bx", "parameters"),
        ({"parameters": "strip"}, "/a/..;x/b", "dot segment in disguise"),
        ({"parameters": "strip", "dot_segments": "normalise"}, "/a/..;/b", "dot segment in disguise"),
        ({"parameters": "strip", "dot_segments": "normalise"}, "/a/%2e%2E%3B/b", "dot segment in disguise"),
        ({"parameters": "strip", "dot_segments": "normalise"}, "/a/.;", "dot segment in disguise"),
        ({"parameters": "strip", "empty_segments": "refuse"}, "/a/;x/b", "empty segment"),
        ({"double_encoding": "refuse"}, "/%252e", "(PathPolicy.double_encoding)"),
        ({"double_encoding": "refuse"}, "/%25%34%31", "(PathPolicy.double_encoding)"),
        ({"double_encoding": "decode"}, "/%2500", "NUL"),
        ({"double_encoding": "decode"}, "/%25c0%25ae", "overlong"),
        ({"double_encoding": "decode"}, "/%255c", "backslash"),
        ({"double_encoding": "decode"}, "/a/%252e%252e/b", "dot segment"),
        ({"double_encoding": "decode", "encoded_slash": "refuse"}, "/a%25252fb", "encoded slash"),
        ({"double_encoding": "decode", "encoded_slash": "keep", "dot_segments": "normalise"}, "/a%252f..", "disguise"),
        ({"double_encoding": "decode"}, "/%25" + "%25" * 9 + "3" * 9 + "%2541", "time and again"),
        ({"encoded_delimiters": "refuse"}, "/a%3fb", "(PathPolicy.encoded_delimiters)"),
        ({"encoded_delimiters": "refuse"}, "/a%23", "(PathPolicy.encoded_delimiters)"),
        ({"dot_segments": "normalise"}, "/..", "dot segments above the root in the path"),
        ({"dot_segments": "normalise"}, "/a/%2e%2e/../b", "above the root"),
        ({"dot_segments": "normalise", "empty_segments": "merge"}, "//..", "above the root"),
        ({"dot_segments": "normalise", "encoded_slash": "keep"}, "/a/..%2fb", "disguise"),
        ({"dot_segments": "normalise", "encoded_slash": "keep"}, "/a%2f../b", "disguise"),
        ({"dot_segments": "normalise"}, "/a/%c0%ae%c0%ae/b", "overlong"),
        ({"backslash": "refuse"}, "/a\\b", "backslash in the path (PathPolicy.backslash)"),
        ({"backslash": "normalise"}, "/a\\..\\b", "dot segment in the path (PathPolicy.dot_segments)"),
        ({"backslash": "normalise", "empty_segments": "refuse"}, "/%5cevil.test", "empty segment"),
    ],
)
def test_policy_refuses(chosen: Any, target: str, why: str) -> None:
    """S-35, S-36, S-37: what a policy refuses is refused also without path conditions, and after decoding; the message
    names the field that decides."""
    with pytest.raises(BadRequest, match=re.escape(why)):
        PathPolicy(**chosen).bind(conditions=False)(target)


@pytest.mark.parametrize("policy", EXTREMES)
@pytest.mark.parametrize(
    "target",
    ["/%00", "/\0", "/%zz", "/%", "/%u002e", "/%c0%ae", "/\udcc0\udcaf", "/%E0%80%AF", "/a b", "/a#b", "/a/..;/b", "x"],
)
def test_never(policy: PathPolicy, target: str) -> None:
    """S-37, S-38: what can mean nothing good is refused, whatever the policy says of the rest."""
    for conditions in (False, True):
        assert reading(policy.bind(conditions=conditions), target) is None


@pytest.mark.parametrize("policy", EXTREMES)
def test_full_width(policy: PathPolicy) -> None:
    """S-38: full-width dots and slashes are letters like others: neither a dot segment nor a slash, and sent so."""
    target = "/\uff0e\uff0e\uff0fadmin/%ef%bc%8e"
    path = "/%EF%BC%8E%EF%BC%8E%EF%BC%8Fadmin/%EF%BC%8E"
    assert policy.bind(conditions=True)(target) == Reading(target, path, None)


@pytest.mark.parametrize("target", ["/Admin", "/ADMIN/", "/admin.", "/admin%20", "/admin%2e", "/admin%09", "/%C4%B1"])
def test_names_that_look_alike(target: str) -> None:
    """S-39: case, and what Windows drops at the end of a name, are not a policy's: they are read as they are."""
    assert strict_reader(target).path == canonical(target)
    assert strict_reader(target).path not in ("/admin", "/admin/")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("encoded_slash", "merge"), ("encoded_slash", ""), ("empty_segments", "decode"), ("parameters", "decode")),
        *(
            ("double_encoding", "strip"),
            ("encoded_delimiters", "auto"),
            ("dot_segments", "keep"),
            ("backslash", "keep"),
        ),
        *(("backslash", None), ("parameters", [])),
    ],
)
def test_bad_policy(parameter: str, value: object) -> None:
    """An unknown word is a ValueError that names the parameter and the value."""
    with pytest.raises(ValueError, match=f"{parameter} must be one of .*, got {re.escape(repr(value))}"):
        PathPolicy(**{parameter: value})  # type: ignore[arg-type]


def test_policy_is_a_value() -> None:
    """Policies are frozen and compared by value."""
    assert PathPolicy() == PathPolicy(
        encoded_slash="auto",
        empty_segments="auto",
        parameters="auto",
        double_encoding="auto",
        encoded_delimiters="keep",
        dot_segments="refuse",
        backslash="refuse",
    )
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
        "/" + ";" * 8190,
        "/" + "a/../" * 1638,
        "/" + "../" * 2730,
        "/" + "\\" * 8190,
        "/" + "%25" * 2730,
        "/%" + "25" * 4094,
        "/" + "%25" * 1000 + "3" * 1000 + "%2541",
        "/" + "%253" * 1300 + "%2541" * 500,
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
    for policy in EXTREMES:
        reading(policy.bind(conditions=True), target)
    assert time.perf_counter() - before < 1.0
