"""What the reference needs to know of the way in which this library's docstrings are written."""

from __future__ import annotations

import re

import griffe

# ``name``, ``other``
#     What they are.
_ENTRY = re.compile(r"^(?P<term>``[^\n]+)\n(?P<text>(?:    [^\n]*(?:\n|\Z)|\n(?=    ))+)", re.MULTILINE)


class Definitions(griffe.Extension):
    """Lists of names over indented text become Markdown's; special methods that say nothing are left out."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _ENTRY.sub(_definition, obj.docstring.value)
        elif obj.is_special:
            obj.public = False


def _definition(entry: re.Match[str]) -> str:
    return f"\n{entry['term']}\n:{entry['text'][1:].rstrip()}\n"
