"""Keys of services, and of where code is kept."""

from __future__ import annotations

from random import Random
from zlib import crc32

from ..drawing import BASE32, BASE62, HEX, LOWER36, URL64, base64_of, text_of
from .planted import Planted
from .tokens import jwt

__all__ = [
    "discord",
    "github",
    "github_fine",
    "gitlab",
    "model",
    "npm",
    "pypi",
    "saas",
    "sendgrid",
    "slack",
    "slack_hook",
    "stripe",
    "stripe_hook",
    "telegram",
    "twilio",
]


def _base62_crc(text: str) -> str:
    number, digits = crc32(text.encode()), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    out = ""
    while number:
        number, digit = divmod(number, 62)
        out = digits[digit] + out
    return out.rjust(6, "0")


def github(rng: Random) -> Planted:
    if rng.random() < 0.1:
        return Planted("ghs_" + jwt(rng).value)  # what installations get since 2026
    drawn = text_of(rng, BASE62, 30)
    return Planted(rng.choice(["ghp_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"]) + drawn + _base62_crc(drawn))


def github_fine(rng: Random) -> Planted:
    return Planted(f"github_pat_{text_of(rng, BASE62, 22)}_{text_of(rng, BASE62, 59)}")


def gitlab(rng: Random) -> Planted:
    if rng.random() < 0.3:
        return Planted(f"glpat-{text_of(rng, URL64, rng.choice([27, 60]))}.01.{text_of(rng, LOWER36, 9)}")
    return Planted(rng.choice(["glpat-", "gldt-", "glrt-", "glptt-", "glft-"]) + text_of(rng, BASE62 + "_", 20))


def npm(rng: Random) -> Planted:
    drawn = text_of(rng, BASE62, 30)
    return Planted("npm_" + drawn + _base62_crc(drawn))


def pypi(rng: Random) -> Planted:
    return Planted("pypi-AgEIcHlwaS5vcmc" + text_of(rng, URL64, rng.choice([130, 160])))


def slack(rng: Random) -> Planted:
    number = f"{rng.randrange(10**11, 10**13)}"
    return Planted(
        rng.choice(
            [
                f"xoxb-{number}-{rng.randrange(10**12, 10**13)}-{text_of(rng, BASE62, 24)}",
                f"xoxp-{number}-{number}-{number}-{text_of(rng, HEX, 32)}",
                f"xapp-1-A{text_of(rng, BASE32, 10)}-{number}-{text_of(rng, HEX, 64)}",
                f"xoxe.xoxp-1-{text_of(rng, BASE62, 160)}",
                f"xoxc-{number}-{number}-{number}-{text_of(rng, HEX, 64)}",
            ]
        )
    )


def slack_hook(rng: Random) -> Planted:
    return Planted(
        f"T{text_of(rng, BASE32, rng.choice([8, 10]))}/B{text_of(rng, BASE32, rng.choice([8, 10]))}/"
        f"{text_of(rng, BASE62, 24)}",
        "https://hooks.slack.com/services/",
    )


def stripe(rng: Random) -> Planted:
    return Planted(
        f"{rng.choice(['sk', 'rk'])}_{rng.choice(['live', 'test'])}_{text_of(rng, BASE62, rng.choice([24, 99]))}"
    )


def stripe_hook(rng: Random) -> Planted:
    return Planted("whsec_" + rng.choice([text_of(rng, BASE62, 32), base64_of(rng, 24)]))


def sendgrid(rng: Random) -> Planted:
    return Planted(f"SG.{text_of(rng, URL64, 22)}.{text_of(rng, URL64, 42)}{rng.choice(BASE62)}")


def twilio(rng: Random) -> Planted:
    return Planted("SK" + text_of(rng, HEX, 32))


def model(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"sk-{text_of(rng, BASE62, 20)}T3BlbkFJ{text_of(rng, BASE62, 20)}",
                f"sk-proj-{text_of(rng, URL64, 74)}T3BlbkFJ{text_of(rng, URL64, 74)}",
                f"sk-ant-api03-{text_of(rng, URL64, 93)}AA",
                f"gsk_{text_of(rng, BASE62, 52)}",
                f"hf_{text_of(rng, BASE62[:52], 34)}",
            ]
        )
    )


def telegram(rng: Random) -> Planted:
    return Planted(
        f"{rng.randrange(10**8, 10**10)}:AA{text_of(rng, URL64, 32)}{rng.choice(BASE62)}",
        *rng.choice([("", ""), ("https://api.telegram.org/bot", "/getMe")]),
    )


def discord(rng: Random) -> Planted:
    return Planted(
        f"{rng.randrange(10**17, 10**19)}/{text_of(rng, URL64, 67)}{rng.choice(BASE62)}",
        "https://discord.com/api/webhooks/",
    )


def saas(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"dop_v1_{text_of(rng, HEX, 64)}", f"shpat_{text_of(rng, HEX, 32)}", f"key-{text_of(rng, HEX, 32)}",
                f"{text_of(rng, HEX, 32)}-us{rng.randrange(1, 22)}", f"dapi{text_of(rng, HEX, 32)}",
                f"dckr_pat_{text_of(rng, URL64, 26)}x",
                f"hvs.{text_of(rng, URL64, 89)}x", f"glsa_{text_of(rng, BASE62, 32)}_{text_of(rng, HEX, 8)}",
                f"NRAK-{text_of(rng, BASE32, 27)}",
                f"lin_api_{text_of(rng, BASE62, 40)}", f"PMAK-{text_of(rng, HEX, 24)}-{text_of(rng, HEX, 34)}",
                f"ntn_{text_of(rng, BASE62, 46)}",
                f"pul-{text_of(rng, HEX, 40)}", f"rubygems_{text_of(rng, HEX, 48)}", f"sbp_{text_of(rng, HEX, 40)}",
                f"dp.st.prd.{text_of(rng, BASE62, 42)}", f"figd_{text_of(rng, URL64, 39)}x",
            ]
        )
    )  # fmt: skip
