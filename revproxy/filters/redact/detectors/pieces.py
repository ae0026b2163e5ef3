"""What several detectors have in common."""

from __future__ import annotations

__all__ = ["EDGE", "END", "NAMES", "SPACE"]

EDGE = rb"(?<![0-9A-Za-z_](?<!%[0-9A-Fa-f]{2})(?<!\\[bfnrt]))"
"""No word goes on here: the digits of ``%3D`` and the letter of a line feed that is written ``\\n`` are of none."""

END = rb"(?![0-9A-Za-z_])"
"""No word goes on behind this."""

SPACE = rb"(?:[ -]|\xc2\xa0)"
"""What numbers are grouped by: a space, one that does not break, a hyphen."""

_IS = rb"""\\{0,3}["']{0,2}[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}(?:\\{0,3}["']{1,2})?"""
"""Between a name and its value, in JSON (also in a string of JSON or a field of CSV), YAML, the environment, fields,
queries and code."""

_TAGS = rb"""(?:[ \t\r\n]{0,8}</?[a-z]{1,8}>){1,4}[ \t\r\n]{0,8}"""
"""Between a name and its value in tables and lists of HTML."""

_PAIR = (
    rb"""\\{0,3}["'][ \t]{0,4},?[ \t\r\n]{0,16}\\{0,3}["']?(?:[Vv]alue|VALUE)"""
    rb"""\\{0,3}["']?[ \t]{0,2}[=:][ \t]{0,4}\\{0,3}["']"""
)
"""Between a name and its value where both have a name: ``{"name": "API_KEY", "value": "..."}``, ``<input>``."""

NAMES = rb"(?:" + _IS + rb"|" + _PAIR + rb"|>|" + _TAGS + rb")"
"""Between a name and its value, wherever that is."""
