"""Documents edited as they come: equal to the plain reference, in any pieces, within bounds."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.json_stream import JsonEditor, JsonError, JsonPath, places
from revproxy.json_stream.places import Place

from .reference import DOCUMENTS, PATHS, edited

ONLY = [JsonPath.of(path) for path in ("id", "user.name", "items[*].id", "items[*].tags", '"a.b"')]
SAMPLE = (
    ' {"id" : 1.50, "secret":"x\\"y", "user":{"name":"\\ud83d\\ude00é","pass\\u0077ord":[1,{"a":[]}] , "mail":null},\n'
    '"items":[{"id":1,"tags":["a"],"price":2e3},{"price":{"a":{"b":{"c":{"d":1}}}}}, 5, {"id":{"x":1}}],'
    '"n\\u0061":1, "a.b":true,"\\u0069d":2 } '
)


def in_pieces(editor: JsonEditor, data: bytes, cuts: Sequence[int]) -> bytes:
    out, place = b"", 0
    for cut in (*cuts, len(data)):
        out += editor.feed(data[place:cut])
        place = cut
    return out + editor.finish()


def edit(text: str | bytes, root: Place | None = None, cuts: Sequence[int] = (), **options: object) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    make: Callable[..., JsonEditor] = JsonEditor
    return in_pieces(make(places(only=ONLY) if root is None else root, **options), data, cuts)


@given(
    DOCUMENTS,
    st.none() | st.lists(PATHS, min_size=1, max_size=3),
    st.lists(PATHS, max_size=3),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=4),
)
def test_reference(
    text: str, only: list[JsonPath] | None, without: list[JsonPath], null: bool, cuts: list[int]
) -> None:
    """What leaves is what the reference says, byte for byte: whole, byte by byte, and in some pieces (S-65). It is JSON
    that says the same for what stays, and whether or not somebody is told of what goes makes no difference."""
    root = places(only=only, without=without)
    data = text.encode()
    wanted = edited(text, only, without, null=null).encode()
    assert in_pieces(JsonEditor(root, null=null), data, ()) == wanted
    assert in_pieces(JsonEditor(root, null=null), data, range(1, len(data))) == wanted
    assert in_pieces(JsonEditor(root, null=null), data, sorted(min(cut, len(data)) for cut in cuts)) == wanted
    assert in_pieces(JsonEditor(root, null=null, gone=str), data, ()) == wanted
    json.loads(wanted)


def test_every_place() -> None:
    """At every place a document may be cut, also into three."""
    data = SAMPLE.encode()
    wanted = edited(SAMPLE, ONLY).encode()
    root = places(only=ONLY)
    for first in range(len(data) + 1):
        assert edit(data, root, [first]) == wanted
        assert edit(data, root, [first, min(first + 7, len(data))]) == wanted
    assert not any(secret in wanted for secret in (b"ord", b"secret", b"price"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a":1,"id":2}', '{"id":2}'),
        ('{"id":2,"a":1}', '{"id":2}'),
        ('{"a":1}', "{}"),
        ('{\n  "a": 1,\n  "id": 2,\n  "b": 3\n}', '{\n  "id": 2\n}'),
        ('{"id":1,"id":2,"ID":3}', '{"id":1,"id":2}'),
        ('{"\\u0069d":1}', '{"\\u0069d":1}'),
        ('{"user":"root"}', "{}"),
        ('{"user":["root"]}', "{}"),
        ('{"items":[1,"x",[2],{"id":3}]}', '{"items":[{"id":3}]}'),
        ('{"items":{"id":3}}', "{}"),
        ('{"id":{"all":[1]}}', '{"id":{"all":[1]}}'),
        ('"root"', "null"),
        ("[1]", "null"),
        ("4", "null"),
        ("", ""),
    ],
)
def test_allow_list(text: str, wanted: str) -> None:
    """Allowed is what a path names, with all that is in it; on the way there only what is of the kind that it says."""
    assert edit(text) == wanted.encode()
    assert edit(text, cuts=range(1, len(text))) == wanted.encode()


@pytest.mark.parametrize(
    "name", ["password", r"pass\u0077ord", r"\u0070\u0061\u0073\u0073\u0077\u006f\u0072\u0064", r"pas\u0073word"]
)
def test_spellings(name: str) -> None:
    """A name is what it is once its escapes are undone (S-65), and may be there twice."""
    root = places(without=[JsonPath.of("**.password")])
    assert edit(f'[{{"{name}":1,"a":2,"{name}":[3]}}]', root) == b'[{"a":2}]'


def test_names_in_another_case() -> None:
    """Case counts unless told otherwise; then also beyond ASCII, and for what folds to several letters."""
    text = '{"Password":1,"PASSWORD":2,"pa\u017f\u017fword":3,"\\u0050assword":4,"STRASSE":5,"x":6}'
    names = [JsonPath.of("password"), JsonPath.of("straße")]
    assert edit(text, places(without=names)) == text.encode()
    folded = places(without=names, ignore_case=True)
    assert edit(text, folded, ignore_case=True) == b'{"x":6}'
    assert edit(text, folded, range(1, len(text.encode())), ignore_case=True) == b'{"x":6}'


def test_null() -> None:
    """What goes can leave its name, and ``null``, behind."""
    assert edit('{"a":1, "id":2,"items":[3]}', null=True) == b'{"a":null, "id":2,"items":[null]}'


def test_what_is_gone_is_told() -> None:
    """Of all that goes, the path is told, in the spelling of paths."""
    told: list[str] = []
    text = '{"a":1,"items":[{"id":1,"p\\u0071":2},3],"x.y":{"id":1}}'
    edit(text, gone=lambda path: told.append(str(path)))
    assert told == ["a", "items[*].pq", "items[*]", '"x.y"']


MALFORMED = [
    *("{", "[", '"', '"a', "tru", "nul", "-", "1.", "1e", "1e+", "[1", "[1,", '{"id"', '{"id":', '{"id":1', '{"id":1,'),
    *("[1,]", '{"id":1,}', "[,1]", "{,}", "[1 2]", '{"id" 1}', '{"id":1 "b":2}', "{1:2}", "{id:1}", "{'id':1}", "[}"),
    *("]", "}", "[1]]", '{"id":1}}', "1 2", "{}{}", "{} x", "NaN", "Infinity", "-Infinity", "[NaN]", "01", "-01", "+1"),
    *(".5", "1.e1", "0x1", "1_0", "[1.]", "[1e]", "[01]", "[-]", "True", "nulL", "[truex]", "[nullnull]", "undefined"),
    *(
        '"\t"',
        '"\n"',
        '"\x00"',
        '["\x1f"]',
        r'"\x"',
        r'"\u12"',
        r'"\u123g"',
        r'"\ud800"',
        r'"\ud800\u0041"',
        r'"\udc00"',
    ),
    *(
        r'["\ud800"]',
        r'{"\udc00":1}',
        r'{"id\q":1}',
        '{"a\nb":1}',
        "// c\n{}",
        "{/**/}",
        "[1;2]",
        "\ufeff{}",
        "\x00",
        "{}\x00",
    ),
    *(
        r'["\ud800\ud800"]',
        r'{"id":"\ud83d\ude0"}',
        '{"x":{"y":[1,2,}}',
        '{"items":[{"id":1},]}',
        '{"items":[,]}',
        '{"id"::1}',
    ),
    *(
        '{"x":tru}',
        '{"id":tru}',
        '{"x":"\\"}',
        '{"":1,,"id":2}',
        '{"x":1,"id":2',
        '{"x":[[[[[[1]]]]]',
        "\v1",
        "[\f]",
        "\xa01",
    ),
    *("[" + "9" * 2000 + "]", '{"' + "n" * 2000 + '":1}', " ", "\n"),
]


@pytest.mark.parametrize("text", MALFORMED, ids=[str(number) for number in range(len(MALFORMED))])
def test_malformed(text: str) -> None:
    """What is no JSON is refused however it is cut, whether it would stay, go, or be handed out; and what is let out
    before is a beginning of the same, and holds nothing that must not leave."""
    data = text.encode()
    roots = [
        places(only=ONLY),
        places(without=[JsonPath.of("**.id")]),
        places(only=[JsonPath.of("**")]),
        places(without=[JsonPath.of("**")]),
        places(take=[JsonPath.of("[*]")]),
    ]
    for root in roots[: 1 if "nnnn" in text else None]:  # of what need not be known, a name may be longer
        for cuts in ((), range(1, len(data)), *([cut] for cut in range(1, min(len(data), 40)))):
            with pytest.raises(JsonError):
                edit(data, root, cuts, take=bytes)


@pytest.mark.parametrize(
    "data",
    [b'"\xff"', b'{"id":"\xc3"}', b'["\xed\xa0\x80"]', b'{"\xc0\xaf":1}', b'"\xf4\x90\x80\x80"', b'"\xe2\x82'],
    ids=["byte", "cut", "surrogate", "overlong", "beyond", "end"],
)
def test_not_utf_8(data: bytes) -> None:
    """Characters are UTF-8, whole and of the shortest form (RFC 8259 section 8.1), however they are cut."""
    for cuts in ((), range(1, len(data))):
        with pytest.raises(JsonError):
            edit(data, None, cuts)


def test_where_it_is_wrong() -> None:
    """An error says what is wrong, and where, from the start of the document on."""
    for cuts in ((), range(1, 20), [12]):
        with pytest.raises(JsonError, match=r"^syntax at byte 12$"):
            edit('{"id":"é", x": 1}', None, cuts)
    with pytest.raises(JsonError, match=r"^encoding at byte 4$"):
        edit(b'[1,"\xff"]', None, [2])
    with pytest.raises(JsonError, match=r"^end at byte 3$"):
        edit("[1,")


@pytest.mark.parametrize("begin", ["[", '{"id":', '{"x":', '{"items":[{"id":', '{"user":'])
def test_nesting(begin: str) -> None:
    """What is nested 10,000 deep is refused at the declared depth, in bounded memory (issue: bad input)."""
    for cuts in ((), [100, 1000]):
        with pytest.raises(JsonError, match=r"^depth at"):
            edit(begin * 10_000, None, cuts)
    with pytest.raises(JsonError, match=r"^depth at"):
        edit("[" * 10_000, places(without=[JsonPath.of("**.x")]))


@pytest.mark.parametrize("depth", range(1, 9))
def test_depth(depth: int) -> None:
    """As many containers as declared are taken, and not one more, whoever looks at them and however they are cut."""
    roots = [
        places(only=ONLY),
        places(without=[JsonPath.of("**.x")]),
        places(without=[JsonPath.of("a.b.c")]),
        places(take=[JsonPath.of("**.x")]),
    ]
    for root in roots:
        for begin, end in (("[", "]"), ('{"a":', "}"), ('{"items":', "}"), ('[{"x":1},', "]")):
            more = 1 if begin.startswith("[{") else 0
            if depth - more < 1:
                continue
            text = begin * (depth - more) + "1" + end * (depth - more)
            for cuts in ((), range(1, len(text))):
                edit(text, root, cuts, depth=depth, take=bytes)
                with pytest.raises(JsonError, match=r"^depth at"):
                    edit(begin + text + end, root, cuts, depth=depth, take=bytes)


def stream(root: Place, begin: bytes, piece: bytes, count: int, end: bytes) -> tuple[int, int]:
    """How much comes out of so many pieces, and how many bytes are in use at most meanwhile."""
    editor = JsonEditor(root)
    size = len(editor.feed(begin))
    tracemalloc.start()
    for _ in range(count):
        size += len(editor.feed(piece))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size + len(editor.feed(end) + editor.finish()), most


@pytest.mark.parametrize("thousands", [50, pytest.param(1000, marks=pytest.mark.soak)])
def test_many_elements(thousands: int) -> None:
    """An array of a million elements takes no more memory than a short one (S-65)."""
    root = places(only=[JsonPath.of("items[*].id")])
    piece = b'{"id":1,"password":"x"},' * 1000
    size, most = stream(root, b'{"items":[', piece, thousands, b"{}]}")
    assert size == len(b'{"items":[]}') + len(b'{"id":1},') * 1000 * thousands + len(b"{}")
    assert most < 1 << 20


@pytest.mark.parametrize("name", ["id", "x", "user"])
def test_a_long_string(name: str) -> None:
    """A string of 10 MB streams through, or goes, without being held."""
    root = places(only=ONLY)
    size, most = stream(root, b'{"%s":"' % name.encode(), rb"abc\n" * 3277, 640, b'"}')
    assert size == (len(b'{"id":""}') + 5 * 3277 * 640 if name == "id" else 2)
    assert most < 1 << 20


@pytest.mark.parametrize("piece", [b" " * 16384, b"\n" * 16384])
def test_much_whitespace(piece: bytes) -> None:
    """Whitespace without end is held no longer than a bound; before the document it goes on at once."""
    root = places(only=ONLY)
    assert stream(root, b"", piece, 64, b"1")[0] == 64 * 16384 + 4
    size, most = stream(root, b'{"id":1,', piece, 640, b'"user":{}}')
    assert size == len(b'{"id":1,"user":{}}') + 4096
    assert most < 1 << 20


def test_whitespace_is_cut_alike() -> None:
    """However it is cut, the same is left of long whitespace."""
    space = " " * 5000
    text = f'{space}{{{space}"a"{space}:{space}1{space},{space}"id"{space}:{space}2{space}}}{space}'
    root = places(only=ONLY)
    wanted = edit(text, root)
    for cuts in (range(1, len(text), 997), [5001, 9000, 20_000], range(1, len(text), 61)):
        assert edit(text, root, cuts) == wanted
    assert json.loads(wanted) == {"id": 2}


@pytest.mark.parametrize("length", [1024, 1025])
@pytest.mark.parametrize("cut", [(), (500,), (1100,)])
def test_long_names(length: int, cut: tuple[int, ...]) -> None:
    """Names that have to be known are of 1,024 bytes at most, as they are spelled."""
    for name in ("n" * length, "\\n" + "n" * (length - 2)):
        if length <= 1024:
            assert edit(f'{{"{name}":1}}', None, cut) == b"{}"
        else:
            with pytest.raises(JsonError, match=r"^name at"):
                edit(f'{{"{name}":1}}', None, cut)


def test_taken() -> None:
    """Values are handed out as they are spelled; what takes their place may be nothing."""
    seen: list[bytes] = []

    def take(value: bytes) -> bytes | None:
        seen.append(value)
        return None if value == b"2" else value.replace(b"1", b"one")

    text = '{"a":[1, 2 ,{"x" : 1.0}],"b":[1]}'
    for cuts in ((), range(1, len(text))):
        seen.clear()
        edited = edit(text, places(take=[JsonPath.of("a[*]")]), cuts, take=take)
        assert edited == b'{"a":[one ,{"x" : one.0}],"b":[1]}'
        assert seen == [b"1", b"2", b'{"x" : 1.0}']


def test_too_much_is_taken() -> None:
    """What is handed out is of bounded size, however it is cut."""
    root = places(take=[JsonPath(())])
    text = '"' + "x" * 98 + '"'
    for cuts in ((), range(1, 100)):
        assert edit(text, root, cuts, take=bytes, longest=100) == text.encode()
        with pytest.raises(JsonError, match=r"^size at"):
            edit(text, root, cuts, take=bytes, longest=99)


def test_linear_time() -> None:
    """What no expression takes at once, again and again, costs steps in proportion to its length."""
    root = places(without=[JsonPath.of("**.x")])
    deep = "[" * 20 + "1" + "]" * 20
    counts = []
    for many in (100, 200):
        steps = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal steps
            steps += event == "c_call"

        text = "[" + ",".join([deep] * many) + "]"
        editor = JsonEditor(root)
        sys.setprofile(count)
        try:
            out = editor.feed(text.encode())
        finally:
            sys.setprofile(None)
        assert out + editor.finish() == text.encode()
        counts.append(steps)
    assert counts[1] < 2.1 * counts[0]


def test_repr() -> None:
    """An editor says where it is."""
    editor = JsonEditor(places(only=ONLY))
    editor.feed(b'{"items":[')
    assert repr(editor) == "<JsonEditor at byte 10, in 2 containers>"
