"""What stands where a secret would stand."""

from __future__ import annotations

import re

__all__ = ["is_placeholder", "is_template"]

_TEMPLATE = re.compile(
    rb"""<|\{(?![A-Z0-9]{3,8}\})|\$[{(]|\$(?:[A-Z_]{2,}|[a-z_]{3,})[0-9]?\Z|\$\d{1,2}\Z|\#\{|%[({]|%[A-Za-z_]{2,}%|%[sdv]\Z|"""
    rb"""\[[A-Za-z_ -]|:[a-z_]{3,}\Z|@[A-Z][A-Za-z.]{2,}\(|"""
    rb"""(?:process\.|os\.|import\.meta\.)?env(?:iron)?[.\[(]|ENV[.\[(]|getenv|secrets?[.:/]|vault[:/]|op:/|kms[:/]|!"""
    rb"""(?:vault|Ref|Sub|GetAtt)|projects/|ref\+|enc:|ENC\["""
)
_PIECES = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_REPEATED = re.compile(rb"(.{1,4}?)\1{3,}.{0,3}", re.DOTALL)
_TEXT = b"""a abc absent access account actual add admin an any anything api app auth authorization aws bar basic baz
bearer blank change changeit changeme client code confirm confirmation correct credential credentials current customer
default demo disabled dummy empty enabled encrypted encryption enter example expired fake false field filtered fixme
foo forgot from generated github goes google has hash hashed here hidden hint id in incorrect input insert integration
invalid is jwt key keys label length live local long longer mask masked max me min minimum missing mock must my
mypassword name new nil none not null number of old omitted optional or own pass passcode passphrase passwd password
path personal placeholder please prefix private prod production protected provided pwd qux random real redacted
refresh remove removed repeat replace replaceme request required reset rotate same sample scrubbed secret secrets
secure sensitive server service session set show snip some something stage staging stored string stripe strong suffix
super supersecret tbd temp test testing text that the this to todo token tokens too true type undefined unknown unset
use user username valid value variable very weak webhook with wrong x xx xxx xxxx xyz y you your yourpassword
yoursecret yourtoken"""
_WORDS = frozenset(_TEXT.split())
_ROWS = (b"abcdefghijklmnopqrstuvwxyz", b"qwertyuiop")
_DIGIT_ROWS = (b"01234567890123456789", b"9876543210")
_NOT_DIGITS = re.compile(rb"[^0-9]+")


def is_template(text: bytes) -> bool:
    """Whether ``text`` is filled in later, or was masked already: a variable of a template or of the environment, a
    reference to a vault, asterisks, one thing over and over, words such as ``your-password-here``."""
    if not text or _TEMPLATE.match(text) or _REPEATED.fullmatch(text) or len(set(text)) <= 2:
        return True
    lowered = text.lower()
    if b"xxxx" in lowered or b"****" in lowered or b"...." in lowered or b"\xe2\x80\xa2\xe2\x80\xa2" in text:
        return True
    return _are_words(text, most_digits=0)


def is_placeholder(text: bytes) -> bool:
    """Whether ``text`` only shows that a key belongs there: as ``is_template``, or also words with a number, or what
    stands in a row in the alphabet, among the digits or on a keyboard: ``changeme1``, ``abcdefghij1234567890``."""
    if is_template(text) or _are_words(text, most_digits=4):
        return True
    letters, digits = b"".join(_PIECES.findall(text)).lower(), _NOT_DIGITS.sub(b"", text)
    return len(letters) > 5 and any(letters in row for row in _ROWS) and any(digits in row for row in _DIGIT_ROWS)


def _are_words(text: bytes, *, most_digits: int) -> bool:
    pieces = _PIECES.findall(text)
    digits = len(_NOT_DIGITS.sub(b"", text))
    return bool(pieces) and digits <= most_digits and all(piece.lower() in _WORDS for piece in pieces)
