"""What the generators draw with."""

from __future__ import annotations

import base64
import string
from random import Random

__all__ = [
    "BASE32",
    "BASE62",
    "HEX",
    "LOWER36",
    "URL64",
    "base64_of",
    "luhn_digit",
    "mod97_digits",
    "text_of",
    "uuid",
    "words",
]

HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
BASE62 = string.ascii_letters + string.digits
LOWER36 = string.ascii_lowercase + string.digits
URL64 = BASE62 + "-_"

_TEXT = """account active address after agent album amount archive article author available balance banner
basket batch before billing branch browser budget button cache campaign cancelled category change channel checkout
child city client code collection colour comment company complete contact content country coupon created credit
currency customer daily dashboard date default delivery department description detail device discount document
domain download draft duration edition editor email empty enabled engine entry error event example expired export
failed family feature field file filter first folder format forward gallery garden gateway general genre group guide
header height history holiday hotel image import index industry insert invoice item journey keyboard kitchen label
language large last latest launch layer layout length level library light limit line list local location manager
market material media member memory menu message method metric mobile model module month network news note notice
number object offer office online option order origin output owner package page panel parent partner payment pending
people period phone photo picture place plan platform player policy post preview price primary printer product
profile project property provider public quantity question queue quick rating reader record region release report
request result review role route sample scale schedule screen search season section select seller series service
setting shipping shop signal simple single size small source space special standard start state station status stock
storage store street string style subject summary support survey system table target task team template theme ticket
time title topic total track traffic travel type unit update upload user value vendor version video view visit
visitor volume warehouse weather website week weight width window winter world yellow zone"""
_WORDS = _TEXT.split()


def text_of(rng: Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def words(rng: Random, count: int) -> list[str]:
    return [rng.choice(_WORDS) for _ in range(count)]


def uuid(rng: Random) -> str:
    drawn = text_of(rng, HEX, 32)
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{rng.choice('89ab')}{drawn[17:20]}-{drawn[20:]}"


def base64_of(rng: Random, size: int, *, url: bool = False) -> str:
    """``size`` random bytes in base64, without padding if it is for URLs."""
    drawn = rng.randbytes(size)
    return base64.urlsafe_b64encode(drawn).decode().rstrip("=") if url else base64.b64encode(drawn).decode()


def luhn_digit(digits: str) -> str:
    """The check digit behind ``digits``, as it is done by hand."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2 == 0:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return str((10 - total % 10) % 10)


def mod97_digits(country: str, rest: str) -> str:
    """The check digits of an account, as it is done by hand."""
    text = rest + country + "00"
    number = "".join(str(ord(each) - 55) if each.isalpha() else each for each in text.upper())
    remainder = 0
    for digit in number:
        remainder = (remainder * 10 + int(digit)) % 97
    return f"{98 - remainder:02d}"
