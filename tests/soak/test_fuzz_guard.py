"""Targets, fields, cookies and values of any bytes, many of them, for what stands before the servers: by hypothesis,
and by atheris (libFuzzer) where it is installed.

By hand, for as long as one likes:

    python -m tests.soak.test_fuzz_guard CORPUS -max_total_time=600
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from revproxy.errors import BadRequest
from revproxy.filters.inspect.forms import DIVIDE, Form, form, forms, hidden
from revproxy.filters.inspect.head import head_texts, head_values
from revproxy.message import Inbound
from revproxy.paths import PathPolicy

SECONDS = 10
"""For each of the two."""

ROOT = Path(__file__).parents[2]

PIECES = (
    *(
        "/",
        "//",
        "/../",
        "/./",
        "..",
        "%2e",
        "%2F",
        "%5C",
        "\\",
        "%00",
        "%25",
        "%252e",
        "%c0%af",
        "%u002e",
        "%zz",
        ";",
        "?",
    ),
    *(
        "a",
        "A",
        "&",
        "=",
        "; ",
        '"',
        "\\u0027",
        "/*",
        "*/",
        "--",
        "\n",
        "'",
        "$",
        "{",
        "${IFS}",
        "&#60;",
        "&lt;",
        " ",
        "\x7f",
    ),
    *("é", "\uff0e", "\udc80", "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="),
)
CHOICES: Mapping[str, Sequence[str]] = {
    "encoded_slash": ("keep", "decode"),
    "empty_segments": ("keep", "merge"),
    "parameters": ("keep", "strip"),
    "double_encoding": ("keep", "decode"),
    "dot_segments": ("refuse", "normalise"),
}
POLICIES = [
    PathPolicy(**dict(zip(CHOICES, chosen, strict=True)))  # type: ignore[arg-type]  # as they are named there
    for chosen in product(*CHOICES.values())
]
READERS = [policy.bind(conditions=True) for policy in POLICIES]


def is_read_once(target: str) -> None:
    """S-35 to S-40: what a policy lets in reads the same the second time, whatever the policy."""
    for read in READERS:
        try:
            first = read(target)
        except BadRequest:
            continue
        assert read(first.target) == first


def nothing_is_missed(text: str) -> None:
    """S-60: all values of a head are among the texts that say whether to look at them; no text breaks a form."""
    shown = "".join(each for each in text if each >= " " and each != DIVIDE)
    target = f"/?{shown.replace('#', '').replace(' ', '+')}"
    headers = CIMultiDict([("Cookie", shown), ("X-Own", shown)])
    inbound = Inbound("GET", target, CIMultiDictProxy(headers), "/", target[2:])
    texts = {*head_texts(inbound), *headers.values()}
    assert {value.text for value in head_values(inbound)} <= {each.replace(DIVIDE, " ") for each in texts}
    for which in Form:
        made = form(which, text.replace(DIVIDE, " "))
        assert made.isascii()
        assert made == made.lower()
    list(forms(text, Form))
    hidden(text)


@pytest.mark.soak
def test_any_text_for_long() -> None:
    """What ``tests/test_paths.py`` and those of ``tests/filters/inspect`` say, of thousands of texts."""

    @settings(max_examples=500, database=None)
    @given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=14).map("".join))
    def check(text: str) -> None:
        is_read_once(f"/{text}")
        nothing_is_missed(text)

    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        check()


@pytest.mark.soak
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_any_text_by_coverage(tmp_path: Path) -> None:
    """The same of bytes that atheris makes, which sees what code they reach."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, piece in enumerate(PIECES):
        (corpus / f"{number}").write_bytes((piece * 3).encode("utf-8", "surrogateescape"))
    options = [f"-max_total_time={SECONDS}", "-max_len=300", "-timeout=10", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.soak.test_fuzz_guard", str(corpus), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 60)
    assert done.returncode == 0, done.stderr[-6000:]
    assert "DONE" in done.stderr


def main() -> None:
    """The fuzzer."""
    atheris = importlib.import_module("atheris")

    def one(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        is_read_once(f"/{text}")
        nothing_is_missed(text)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()  # which exits


if __name__ == "__main__":
    main()
