"""UTF-8 as it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.json_stream.characters import Characters


@given(st.one_of(st.binary(max_size=12), st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_as_python_decodes(data: bytes) -> None:
    """What is not UTF-8 is found where Python finds it, byte by byte or at once."""
    try:
        data.decode()
        wanted, complete = None, True
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data"
        wanted, complete = (None, False) if is_cut else (error.start, False)
    for size in (1, len(data) + 1):
        subject, found = Characters(), None
        for place in range(0, len(data), size):
            wrong = subject.wrong_at(data[place : place + size])
            if wrong is not None:
                found = place + wrong
                break
        assert found == wanted
        if found is None:
            assert subject.complete == complete


def test_repr() -> None:
    """It says whether it is within a character."""
    subject = Characters()
    assert repr(subject) == "<Characters>"
    subject.wrong_at(b"\xc3")
    assert repr(subject) == "<Characters, in one>"
