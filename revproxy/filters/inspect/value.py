"""What is looked at: a piece of a request, where it was found, and its forms."""

from __future__ import annotations

from enum import IntFlag

from .forms import DIVIDE, Form, form

__all__ = ["Part", "Value"]


class Part(IntFlag):
    """Where in a request a value was found."""

    TARGET = 1
    """The target as it came, nothing decoded."""
    PATH = 2
    """The path, percent-decoded once."""
    NAME = 4
    """A parameter's name: of the query, a form, a field of JSON, an element of XML."""
    VALUE = 8
    """A parameter's value, decoded as its format says."""
    FILE = 16
    """What a multipart body says of a file: its name, its type."""
    COOKIE_NAME = 32
    COOKIE = 64
    """A cookie's value."""
    USER_AGENT = 128
    REFERER = 256
    FIELD = 512
    """The value of any other header field but those that only the protocol reads."""

    ARGUMENTS = NAME | VALUE | FILE
    """What the application is told."""
    TOLD = ARGUMENTS | COOKIE_NAME | COOKIE
    FIELDS = USER_AGENT | REFERER | FIELD
    ANYWHERE = PATH | TOLD | FIELDS


class Value:
    """A piece of a request.

    ``part``, ``name``
        Where it was found: ``Part.VALUE`` and the parameter's name, ``Part.FIELD`` and the field's.
    ``text``
        As the format of its part decodes it (a query once, JSON as JSON says); nothing else is undone. U+001E
        is a space.
    """

    __slots__ = ("_forms", "bit", "name", "part", "text")

    def __init__(self, part: Part, name: str, text: str) -> None:
        self.part: Part = part
        self.bit: int = part.value
        self.name: str = name
        self.text: str = text if DIVIDE not in text else text.replace(DIVIDE, " ")
        self._forms: dict[Form, str] = {}

    def form(self, which: Form) -> str:
        """Its text in this form."""
        found = self._forms.get(which)
        if found is None:
            found = self._forms[which] = form(which, self.text)
        return found

    def __repr__(self) -> str:
        return f"<Value {self.part.name} {self.name!r}, {len(self.text)} characters>"
