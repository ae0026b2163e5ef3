"""The grammar of JSON (RFC 8259) as regular expressions that take as much of it as there is at once.

All are possessive, as the next byte always says how to go on: they take linear time. What they do not take, because it
is cut, too deep or wrong, is for the editor to look at byte by byte.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = [
    "DEEPEST",
    "LONGEST_NAME",
    "LONGEST_SPACE",
    "MEMBER",
    "NAME",
    "PART_OF_ESCAPE",
    "PART_OF_NAME",
    "PART_OF_SCALAR",
    "PART_OF_STRING",
    "SCALAR",
    "SPACE",
    "SPACES",
    "STRING",
    "more_elements",
    "more_members",
    "scalar",
    "value",
    "value_source",
]

DEEPEST = 3
"""Containers in one another that an expression takes at once; each makes it twice as long."""
LONGEST_SPACE = 4096
"""Whitespace in a row that an expression takes."""
LONGEST_NAME = 1024
"""Bytes of a name that has to be known, as it is spelled."""
_LONGEST_NUMBER = 1024
"""Digits in a row."""

SPACE = rb"[ \t\n\r]{0,%d}+" % LONGEST_SPACE
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = (
    rb'\\(?:["\\/bfnrt]'
    rb"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_IN_STRING = _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb")*+"
STRING = rb'"' + _IN_STRING + rb'"'
_DIGITS = rb"[0-9]{1,%d}+" % _LONGEST_NUMBER
_END = rb"(?=[ \t\n\r,\]}])"
"""A number has an end only once something else comes."""
_NUMBER = rb"-?+(?:0|(?!0)" + _DIGITS + rb")(?:\." + _DIGITS + rb")?+(?:[eE][+-]?+" + _DIGITS + rb")?+" + _END
SCALAR = rb"(?:" + STRING + rb"|" + _NUMBER + rb"|true|false|null)"

PART_OF_STRING = re.compile(_IN_STRING)
_PART_OF_ESCAPE = (
    rb"\\(?:u(?:[0-9a-fA-F]{0,3}"
    rb"|[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?)?)?"
)
PART_OF_ESCAPE = re.compile(_PART_OF_ESCAPE + rb"\Z")
"""An escape of which the end has not come yet."""
PART_OF_SCALAR = re.compile(
    rb"(?:-?+(?:(?:0|(?!0)%(d)s)(?:\.(?:%(d)s)?+)?+(?:(?<=[0-9])[eE][+-]?+(?:%(d)s)?+)?+)?+"
    rb"|t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?)\Z" % {b"d": _DIGITS}
)
NAME = re.compile(STRING)
PART_OF_NAME = re.compile(rb'"' + _IN_STRING + rb"(?:" + _PART_OF_ESCAPE + rb")?\Z")
MEMBER = re.compile(
    rb'(%(s)s"([^"\\\x00-\x1f]{0,%(n)d}+)"%(s)s:%(s)s)(?=[^ \t\n\r])' % {b"s": SPACE, b"n": LONGEST_NAME}
)
"""A name without escapes, and all that stands between it and its value."""
scalar: re.Pattern[bytes] = re.compile(SCALAR)
SPACES = re.compile(rb"[ \t\n\r]*+")


def value_source(depth: int) -> bytes:
    """Any value with at most ``depth`` containers in one another."""
    source = SCALAR
    for _ in range(depth):
        source = (
            rb"(?:" + SCALAR + rb"|\[" + SPACE + rb"(?:" + source + SPACE + rb"(?:,"
            rb"" + SPACE + rb"(?!\])|(?=\])))*+\]|\{" + SPACE + rb"(?:" + STRING + SPACE + rb":"
            rb"" + SPACE + source + SPACE + rb"(?:," + SPACE + rb"(?!\})|(?=\})))*+\})"
        )
    return source


@cache
def value(depth: int) -> re.Pattern[bytes]:
    """A value."""
    return re.compile(value_source(depth))


@cache
def more_elements(depth: int) -> re.Pattern[bytes]:
    """As many elements as there are, each with the comma before it."""
    return re.compile(rb"(?:" + SPACE + rb"," + SPACE + value_source(depth) + rb")*+")


@cache
def more_members(depth: int) -> re.Pattern[bytes]:
    """As many members as there are, each with the comma before it."""
    return re.compile(rb"(?:" + SPACE + rb"," + SPACE + STRING + SPACE + rb":" + SPACE + value_source(depth) + rb")*+")
