"""Numbers and addresses of people, and addresses of networks."""

from __future__ import annotations

from random import Random

from ..drawing import luhn_digit, mod97_digits, text_of, words
from .planted import Planted

__all__ = ["BBANS", "card", "email", "iban", "ipv4", "ipv6", "long_card", "named_ssn", "phone", "ssn"]


def _grouped(text: str, sizes: tuple[int, ...], between: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return between.join(part for part in (*parts, text[at:]) if part)


def _card(prefix: str, length: int, rng: Random) -> str:
    digits = prefix + text_of(rng, "0123456789", length - len(prefix) - 1)
    return digits + luhn_digit(digits)


_SIXTEEN = (
    lambda rng: f"4{rng.randrange(100_000):05d}",  # Visa
    lambda rng: str(rng.randrange(510_000, 560_000)),  # Mastercard
    lambda rng: str(rng.randrange(222_100, 272_100)),  # Mastercard since 2017
    lambda rng: rng.choice(["6011", "644", "648", "65"]),  # Discover
    lambda rng: str(rng.randrange(3528, 3590)),  # JCB
    lambda rng: "62" + str(rng.randrange(10_000)).zfill(4),  # UnionPay
    lambda rng: rng.choice(["2200", "2204"]),  # Mir
    lambda rng: rng.choice(["6759", "5018", "5020", "5038", "6304"]),  # Maestro
)


def card(rng: Random) -> Planted:
    groups: tuple[int, ...]
    pick = rng.random()
    if pick < 0.15:
        number, groups = _card(rng.choice(["34", "37"]), 15, rng), (4, 6, 5)
    elif pick < 0.22:
        number, groups = _card(rng.choice(["36", "38", "300", "305"]), 14, rng), (4, 6, 4)
    else:
        number, groups = _card(rng.choice(_SIXTEEN)(rng), 16, rng), (4, 4, 4, 4)
    return Planted(rng.choice([number, _grouped(number, groups, " "), _grouped(number, groups, "-")]))


def long_card(rng: Random) -> Planted:
    if rng.random() < 0.6:
        number = _card(rng.choice(["6212", "6226", "6228", "8100"]), 19, rng)
        return Planted(rng.choice([number, _grouped(number, (4, 4, 4, 4, 3), " "), _grouped(number, (6, 13), " ")]))
    length = rng.choice([17, 18, 19])
    return Planted(_card(rng.choice(["6759", "5018", "6304", "6762"]), length, rng))


BBANS = {
    "DE": "n18", "FR": "n10 c11 n2", "GB": "a4 n14", "NL": "a4 n10", "ES": "n20", "IT": "a1 n10 c12", "BE": "n12",
    "AT": "n16", "CH": "n5 c12", "PL": "n24", "SE": "n20", "NO": "n11", "DK": "n14", "FI": "n14", "IE": "a4 n14",
    "PT": "n21",
    "GR": "n7 c16", "CZ": "n20", "HU": "n24", "RO": "a4 c16", "BG": "a4 n6 c8", "HR": "n17", "LU": "n3 c13",
    "MT": "a4 n5 c18",
    "TR": "n6 c16", "AE": "n19", "SA": "n2 c18", "IL": "n19", "BR": "n23 a1 c1", "UA": "n6 c19", "PK": "a4 c16",
    "KW": "a4 c22",
    "QA": "a4 c21", "JO": "a4 n4 c18", "MU": "a4 n19 a3", "SC": "a4 n20 a3", "LC": "a4 c24", "RU": "n14 c15",
    "GE": "a2 n16",
    "KZ": "n3 c13", "LT": "n16", "LV": "a4 c13", "EE": "n16", "SI": "n15", "SK": "n20", "IS": "n22", "CY": "n8 c16",
    "MC": "n10 c11 n2",
    "LI": "n5 c12", "AD": "n8 c12", "SM": "a1 n10 c12", "VA": "n18", "EG": "n25", "TN": "n20", "AL": "n8 c16",
    "BA": "n16", "RS": "n18",
    "ME": "n18", "MK": "n3 c10 n2", "MD": "c20", "BY": "c4 n4 c16", "AZ": "a4 c20", "BH": "a4 c14", "CR": "n18",
    "DO": "c4 n20",
    "GT": "c4 c20", "LB": "n4 c20", "MR": "n23", "PS": "a4 c21", "TL": "n19", "XK": "n16", "IQ": "a4 n15",
    "SV": "a4 n20", "ST": "n21",
    "VG": "a4 n16", "GI": "a4 c15", "GL": "n14", "FO": "n14", "LY": "n21", "SD": "n14", "BI": "n23", "DJ": "n23",
    "OM": "n3 c16",
    "SO": "n19", "NI": "a4 n20", "MN": "n16", "FK": "a2 n12", "YE": "a4 n4 c18", "HN": "a4 n20",
}  # fmt: skip


_OF = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def iban(rng: Random) -> Planted:
    country = rng.choice(["DE", "FR", "GB", "NL", "ES", "IT", *BBANS])
    rest = "".join(text_of(rng, _OF[part[0]], int(part[1:])) for part in BBANS[country].split())
    account = country + mod97_digits(country, rest) + rest
    if rng.random() < 0.1:
        account = account.lower()
    return Planted(rng.choice([account, account, " ".join(account[at : at + 4] for at in range(0, len(account), 4))]))


def _ssn(rng: Random) -> tuple[str, str, str]:
    area = rng.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}", f"{rng.randrange(1, 100):02d}", f"{rng.randrange(1, 10000):04d}"


def ssn(rng: Random) -> Planted:
    return Planted("-".join(_ssn(rng)))


def named_ssn(rng: Random) -> Planted:
    names = ("ssn", "SSN", "social_security_number", "socialSecurityNumber", "customer_ssn", "Social Security Number")
    return Planted(rng.choice(["", "", " "]).join(_ssn(rng)), names=names)


_FIRST_NAMES = """anna ben carla daniel emma fatima george hannah ivan julia kenji laura marco nadia olga paul rosa
sven tariq wei"""


_FIRST = _FIRST_NAMES.split()


_LAST_NAMES = """adams becker chen diaz eriksson ferrari garcia hoffmann ito jensen kowalski lopez martin novak
oconnor patel rossi sato weber"""


_LAST = _LAST_NAMES.split()


_DOMAINS = """example.com example.org gmail.com outlook.com web.de yahoo.co.jp mail.example.co.uk
uni-bonn.example.edu proton.me corp.example.io firma.example.photography museum.example.museum xn--mller-kva.example
studio.dev"""


_HOSTS = _DOMAINS.split()


def email(rng: Random) -> Planted:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    local = rng.choice(
        [
            f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{rng.randrange(99)}",
            f"{first}+{rng.choice(words(rng, 1))}",
            f"{first}.{last}".title(), f"{last}-{first}",
            f"o'{last}" if rng.random() < 0.2 else f"{first}{rng.randrange(1950, 2010)}",
        ]
    )  # fmt: skip
    return Planted(f"{local}@{rng.choice(_HOSTS)}")


_PHONES = (
    "+1 (2##) 5##-####", "+1-415-5##-####", "+1 646.5##.####", "+12025######", "+44 20 7### ####",
    "+44 (0)20 7### ####", "+447#########",
    "+49 30 #######", "+49 (0)89 ########", "+4915########0", "+49-171-#######", "+33 6 ## ## ## ##", "+331########",
    "+34 6## ### ###", "+39 06 #### ####",
    "+39 3## #######", "+41 79 ### ## ##", "+43 1 #######", "+31 6 ########", "+32 4## ## ## ##", "+46 70 ### ## ##",
    "+47 9## ## ###", "+45 ## ## ## ##",
    "+48 6## ### ###", "+351 91# ### ###", "+353 8# ### ####", "+420 6## ### ###", "+61 4## ### ###",
    "+64 21 ### ####", "+81 90-####-####", "+82 10-####-####",
    "+86 138 #### ####", "+91 98### #####", "+919#########", "+55 11 9####-####", "+52 55 #### ####",
    "+54 9 11 ####-####", "+7 9## ###-##-##", "+380 67 ### ## ##",
    "+90 5## ### ## ##", "+972 5#-###-####", "+971 5# ### ####", "+966 5# ### ####", "+27 82 ### ####",
    "+234 80# ### ####", "+254 7## ######",
    "+20 10 #### ####", "+65 9### ####", "+60 12-### ####", "+62 812-####-####", "+63 9## ### ####",
    "+66 8# ### ####", "+84 9# ### ## ##", "+92 3## #######",
    "+880 17##-######", "+358 40 #######", "+30 69# ### ####", "+36 20 ### ####", "+40 7## ### ###", "+852 9### ####",
    "+886 9## ### ###", "+56 9 #### ####",
    "+57 3## #######", "+51 9## ### ###", "+212 6##-######", "+995 5## ## ## ##", "+354 6## ####", "+372 5### ####",
    "+370 6## #####",
)  # fmt: skip


def _digits(rng: Random, shape: str) -> str:
    return "".join(rng.choice("23456789") if each == "#" else each for each in shape)


def phone(rng: Random) -> Planted:
    return Planted(_digits(rng, rng.choice(_PHONES)))


def ipv4(rng: Random) -> Planted:
    last = f"{rng.randrange(256)}.{rng.randrange(1, 255)}"
    network = rng.choice(
        [
            f"10.{rng.randrange(256)}", f"10.{rng.randrange(256)}", f"172.{rng.randrange(16, 32)}", "192.168",
            "192.168",
            f"127.{rng.choice([0, 0, 1])}", "169.254", f"100.{rng.randrange(64, 128)}",
        ]
    )  # fmt: skip
    around = rng.choice(
        [
            ("", ""),
            ("", ""),
            ("", ":8080"),
            ("http://", ":9200/_search"),
            ("", "/24"),
            ("upstream ", " timed out"),
            ("[", "]"),
        ]
    )
    return Planted(f"{network}.{last}", *around)


def ipv6(rng: Random) -> Planted:
    def group() -> str:
        return f"{rng.randrange(1, 65536):x}"

    return Planted(
        rng.choice(
            [
                f"fd{rng.randrange(256):02x}:{group()}:{group()}::{group()}",
                f"fd{rng.randrange(256):02x}:{':'.join(group() for _ in range(7))}",
                f"fc00::{group()}:{group()}",
                f"fe80::{group()}:{group()}:{group()}:{group()}",
                f"FE80::{group().upper()}:{group().upper()}",
                f"fe80::{group()}%eth{rng.randrange(4)}",
                "::1",
            ]
        ),
        *rng.choice([("", ""), ("[", "]:8443"), ("http://[", "]/")]),
    )
