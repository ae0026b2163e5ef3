"""Numbers, hashes and pictures that look like secrets."""

from __future__ import annotations

import base64
from random import Random

from ..drawing import HEX, base64_of, luhn_digit, mod97_digits, text_of, uuid
from ..kinds import Planted

__all__ = [
    "barcode",
    "colour",
    "digest",
    "failing_card",
    "failing_iban",
    "fraction",
    "integrity",
    "number",
    "order_number",
    "phone_like",
    "picture",
    "public_address",
    "snowflake",
    "ssn_like",
    "time_number",
    "tracking",
    "uuid_",
    "version",
]


def number(rng: Random, length: int, first: str = "123456789") -> str:
    return rng.choice(first) + text_of(rng, "0123456789", length - 1)


def failing_card(rng: Random) -> Planted:
    digits = rng.choice(["4", "51", "37", "6011"]) + text_of(rng, "0123456789", 12)
    digits = digits[:15]
    wrong = str((int(luhn_digit(digits)) + rng.randrange(1, 10)) % 10)
    number = digits + wrong
    return Planted(rng.choice([number, " ".join(number[at : at + 4] for at in range(0, 16, 4))]))


def order_number(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"{number(rng, 3)}-{number(rng, 7)}-{number(rng, 7)}", f"ORD-2026-{number(rng, 8)}",
                f"SO{number(rng, 9)}", f"#{number(rng, 6)}", f"INV-{number(rng, 5)}-{number(rng, 4)}",
                number(rng, 10), number(rng, 13, "1678"), f"R{number(rng, 9)}",
                f"{number(rng, 4)}/{number(rng, 6)}",
            ]
        )
    )  # fmt: skip


def snowflake(rng: Random) -> Planted:
    return Planted(str((rng.randrange(3 * 10**11, 53 * 10**10) << 22) + rng.randrange(1 << 22))[:19])


def time_number(rng: Random) -> Planted:
    seconds = rng.randrange(1_500_000_000, 1_900_000_000)
    return Planted(
        rng.choice(
            [
                str(seconds),
                f"{seconds}{rng.randrange(1000):03d}",
                f"{seconds}{rng.randrange(10**6):06d}",
                f"{seconds}.{rng.randrange(10**6):06d}",
                f"20261128{rng.randrange(240000):06d}",
            ]
        )
    )


def fraction(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                repr(rng.random()),
                repr(rng.uniform(-180, 180)),
                f"{rng.random():.19f}",
                f"{rng.uniform(1, 9):.15e}",
                f"{rng.randrange(9)}.4{text_of(rng, '0123456789', 15)}",
            ]
        )
    )


def uuid_(rng: Random) -> Planted:
    return Planted(rng.choice([uuid(rng), uuid(rng).upper(), uuid(rng).replace("-", ""), f"urn:uuid:{uuid(rng)}"]))


def digest(rng: Random) -> Planted:
    value = text_of(rng, HEX, rng.choice([7, 12, 32, 40, 64, 128]))
    return Planted(value, *rng.choice([("", ""), ("commit ", ""), ("sha256:", ""), ("sha512-", ""), ('W/"', '"')]))


def integrity(rng: Random) -> Planted:
    return Planted(base64_of(rng, rng.choice([32, 48, 64])), rng.choice(["sha256-", "sha384-", "sha512-"]))


def picture(rng: Random) -> Planted:
    return Planted(
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + rng.randbytes(rng.choice([60, 400, 1500]))).decode(),
        rng.choice(["data:image/png;base64,", "data:font/woff2;base64,"]),
    )


def colour(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"#{text_of(rng, HEX, 6)}",
                f"rgb({rng.randrange(256)}, {rng.randrange(256)}, {rng.randrange(256)})",
                f"--brand-{rng.randrange(9)}00: #{text_of(rng, HEX, 8)};",
            ]
        )
    )


def version(rng: Random) -> Planted:
    a, b, c = rng.randrange(20), rng.randrange(30), rng.randrange(99)
    return Planted(
        rng.choice(
            [
                f"{a}.{b}.{c}", f"v{a}.{b}.{c}-beta.{c}+build.{number(rng, 5)}", f"10.0.0.{b}-beta", f"1.10.0.0.{c}",
                f"10.{a}.{b}", f"Chrome/{a + 100}.0.{number(rng, 4)}.{c}",
                f"System.Core, Version=10.0.{b}.{c}, Culture=neutral", f"numpy=={a}.{b}.{c}",
                f"10.0.{number(rng, 5)}.{number(rng, 4)}", f'"version": "10.{a}.{b}.{c}"', f"python-3.{b}.{c}rc1",
                f"pkg==10.{a}.{b}.{c}", f"openssl 3.0.{c}", f"192.168.{a}", f"libfoo.so.10.{a}.{b}.{c}",
            ]
        )
    )  # fmt: skip


def barcode(rng: Random) -> Planted:
    digits = rng.choice(["400", "978", "501", "03", "49", "590"])
    digits += text_of(rng, "0123456789", 12 - len(digits))
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    code = digits + str((10 - total % 10) % 10)
    return Planted(
        rng.choice([code, f"{code[:3]}-{code[3]}-{code[4:8]}-{code[8:12]}-{code[12]}", f"ISBN {code}", f"0{code}"])
    )


def tracking(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"1Z{text_of(rng, '0123456789ABCDEFGHJKLMNPRSTUVWXYZ', 6)}{number(rng, 10)}",
                f"RR{number(rng, 9)}DE", f"JD0146{number(rng, 14)}",
                f"9400 1{number(rng, 3)} 0{number(rng, 3)} {number(rng, 4)} {number(rng, 4)} {number(rng, 2)}",
                number(rng, 12, "789"), f"CP{number(rng, 9)}GB", f"00340{number(rng, 15)}",
            ]
        )
    )  # fmt: skip


def phone_like(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"+0{rng.randrange(1, 9)}00", f"+{number(rng, 3)}", f"x+{number(rng, 9)}",
                f"{number(rng, 3)}-{number(rng, 4)}", f"1e+{number(rng, 2)}", f"+{number(rng, 2)}%",
                f"GMT+{rng.randrange(1, 12):02d}:00",
                f"{number(rng, 10)}", f"{number(rng, 5)}+{number(rng, 7)}",
                f"+{number(rng, 1)}.{number(rng, 9)}", f"+{number(rng, 2)},{number(rng, 3)} points",
                f"UTC+{number(rng, 4)}", f"Q{number(rng, 7)}",
            ]
        )
    )  # fmt: skip


def public_address(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"8.8.{rng.randrange(9)}.{rng.randrange(9)}", f"203.0.113.{rng.randrange(255)}",
                f"172.{rng.randrange(32, 99)}.1.{rng.randrange(255)}", f"172.15.{rng.randrange(255)}.1",
                f"192.169.{rng.randrange(255)}.2", f"11.{rng.randrange(255)}.0.1",
                f"100.{rng.randrange(64)}.{rng.randrange(255)}.1", f"100.128.{rng.randrange(255)}.1",
                f"2001:db8::{rng.randrange(65536):x}", f"2606:4700:{rng.randrange(65536):x}::1",
                f"00:1b:{rng.randrange(16, 256):02x}:fd:12:34", "0.0.0.0", "255.255.255.0", "224.0.0.251",
                f"169.{rng.randrange(253)}.1.1",
            ]
        )
    )  # fmt: skip


def failing_iban(rng: Random) -> Planted:
    rest = text_of(rng, "0123456789", 18)
    wrong = f"{(int(mod97_digits('DE', rest)) + rng.randrange(1, 90)) % 97:02d}"
    account = f"DE{wrong}{rest}" if wrong != mod97_digits("DE", rest) else f"DE00{rest}"
    return Planted(
        rng.choice(
            [
                account,
                " ".join(account[at : at + 4] for at in range(0, 22, 4)),
                f"DE{text_of(rng, '0123456789', 9)}",
                f"GB{number(rng, 9)}",
                "COBADEFFXXX",
                f"FR{number(rng, 11)}",
            ]
        )
    )


def ssn_like(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"9{number(rng, 2)}-{number(rng, 2)}-{number(rng, 4)}", f"000-{number(rng, 2)}-{number(rng, 4)}",
                f"{number(rng, 3)}-00-{number(rng, 4)}", f"{number(rng, 3)}-{number(rng, 2)}-0000",
                f"{number(rng, 3)}-{number(rng, 2)}-{number(rng, 5)}", f"{number(rng, 9)}",
                f"{number(rng, 2)}-{number(rng, 7)}",
                f"P-{number(rng, 3)}-{number(rng, 2)}-{number(rng, 4)}-{number(rng, 2)}",
                f"{number(rng, 5)}-{number(rng, 4)}", "078-05-1120",
            ]
        )
    )  # fmt: skip
