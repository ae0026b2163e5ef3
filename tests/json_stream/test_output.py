"""What comes out, and what waits."""

from __future__ import annotations

from revproxy.json_stream.output import Output


def test_keep_and_drop() -> None:
    """What waits goes out, or never does."""
    output = Output()
    assert output.copy(b"abc", 0, 1) == 1
    output.hold(b",")
    assert output.hold_space(b"a  b", 1) == 3
    assert (output.spaces, repr(output)) == (2, "<Output: 3 bytes held>")
    output.keep()
    assert output.taken() == b"a,  "
    output.hold(b",x")
    output.drop()
    output.copy(b"b", 0, 1)
    assert (output.taken(), output.taken()) == (b"b", b"")


def test_much_space() -> None:
    """Of whitespace in a row no more than 4,096 bytes wait, in however many pieces it comes."""
    output = Output()
    for _ in range(10):
        output.hold_space(b" " * 1000, 0)
    output.keep()
    assert len(output.taken()) == 4096
