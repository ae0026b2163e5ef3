"""How people are reached."""

from __future__ import annotations

import re

from ..detector import Detector
from .dialling import NUMBERS
from .pieces import END

__all__ = ["EMAIL", "NATIONAL_PHONE", "PHONE"]

_LATIN = rb"\xc3[\x80-\xbf]"
_ENDINGS = b"""avif bat bin bmp bz2 c cfg class cjs cpp cs css csv dll dmg doc docx eot exe flac gif go gz h htm html
ico ini ipynb jar java jpeg jpg js json jsx kt lock log map mjs mp3 mp4 ogg otf pdf php phar png ppt pptx psd rb rst
scss sql svg swift tar tgz tif tiff toml ts tsx ttf txt vue wasm wav webm webp whl woff woff2 xls xlsx xml xz yaml
yml"""
_FILES = frozenset(_ENDINGS.split())
_FRACTION = re.compile(rb"\+?\d{5,}\.\d{1,3}")
_RETINA = re.compile(rb"[1-9]x\.|v?\d+\.", re.IGNORECASE)


def _is_address(text: bytes) -> bool:
    local, _, domain = text.replace(b"%40", b"@").rpartition(b"@")
    return not (
        local.lower() in (b"git", b"hg", b"svn")
        or domain.rpartition(b".")[2].lower() in _FILES
        or _RETINA.match(domain)
        or b".." in local
        or domain.startswith(b"-")
    )


EMAIL = Detector(
    "email",
    rb"(?:(?<![0-9A-Za-z._+@-])(?<!//)(?<!" + _LATIN + rb")(?<!%)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    rb"(?!(?<=\\)[nrt])[0-9A-Za-z_\xc3](?:[0-9A-Za-z._+'\x80-\xc3-]|%2[BDEbde]){0,80}(?:@|%40)"
    rb"(?:[0-9A-Za-z\x80-\xc3-]{1,48}\.){1,4}(?:[A-Za-z]{2,18}|xn--[0-9A-Za-z-]{2,20})(?![0-9A-Za-z_]|-[0-9A-Za-z])",
    valid=_is_address,
)
"""E-mail addresses, in queries, too (``%40``). Not what only looks like one: ``icon@2x.png``, ``pkg@1.2.3``,
``git@github.com``, ``@user@server.example``."""

_BETWEEN = rb"(?:%20)?+[ .()/\x80\x91\xa0\xaf\xc2\xe2-]{0,3}+"
"""Spaces, full stops, brackets, slashes and hyphens, among them those of more than one byte that do not break."""


def _is_no_fraction(text: bytes) -> bool:
    return _FRACTION.fullmatch(text) is None


def _dialled(least: int, most: int, codes: bytes) -> bytes:
    return rb"(?:%b)(?:[ ]?\(0\))?(?:%b\d){%d,%d}" % (codes, _BETWEEN, least, most)


PHONE = Detector(
    "phone",
    rb"(?<![0-9A-Za-z_+/.](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))(?:\+|%2[Bb])[ ]?\(?(?:"
    rb"1\)?"
    + _BETWEEN
    + rb"[2-9]\d\d"
    + _BETWEEN
    + rb"\d{3}"
    + _BETWEEN
    + rb"\d{4}|"
    + b"|".join(_dialled(least, most, codes) for least, most, codes in NUMBERS)
    + rb")"
    + END
    + rb"(?!\.\d)",
    valid=_is_no_fraction,
)
"""Telephone numbers in the international form, from the ``+`` on: a country code that is assigned, and as many digits
as numbers have there (ITU-T E.164)."""

NATIONAL_PHONE = Detector(
    "phone-national",
    rb"(?<![0-9A-Za-z_.+/=-])(?:\([2-9]\d\d\)[ ]?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d([-.])[2-9]\d\d[-.]\d{4}"
    rb"|\(?0\d{2,4}\)?[ /-]\d{3,4}[ -]?\d{3,5}|0\d(?:[ .]\d\d){4})(?![0-9A-Za-z_-])(?!\.\d)",
)
"""Telephone numbers as they are written within a country: of North America with its separators, and of countries that
dial a 0 first. Not one of ``ALL``: parts and orders have such numbers, too."""
