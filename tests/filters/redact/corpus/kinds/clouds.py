"""Keys of clouds."""

from __future__ import annotations

from random import Random

from ..drawing import BASE32, BASE62, LOWER36, URL64, base64_of, text_of
from .planted import Planted

__all__ = [
    "aws_id",
    "aws_secret",
    "aws_session",
    "azure_account",
    "azure_client",
    "azure_devops",
    "azure_sas",
    "google_client",
    "google_key",
    "google_oauth",
]


def aws_id(rng: Random) -> Planted:
    return Planted(rng.choice(["AKIA", "ASIA"]) + text_of(rng, BASE32, 16))


def aws_secret(rng: Random) -> Planted:
    value = text_of(rng, BASE62 + "/+", 40)
    if rng.random() < 0.3:
        return Planted(value, f"AKIA{text_of(rng, BASE32, 16)}{rng.choice([',', ' ', ':'])}")
    return Planted(
        value,
        names=(
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "SecretAccessKey",
            "secretAccessKey",
            "aws_secret_key",
        ),
    )


def aws_session(rng: Random) -> Planted:
    return Planted(
        rng.choice(["IQoJb3JpZ2lu", "FwoGZXIvYXdz"])
        + text_of(rng, BASE62 + "+/", rng.choice([300, 700]))
        + rng.choice(["", "=", "=="])
    )


def google_key(rng: Random) -> Planted:
    return Planted("AIza" + text_of(rng, URL64, 35))


def google_oauth(rng: Random) -> Planted:
    return Planted(rng.choice(["ya29." + text_of(rng, URL64, rng.choice([40, 180])), "1//0" + text_of(rng, URL64, 98)]))


def google_client(rng: Random) -> Planted:
    return Planted("GOCSPX-" + text_of(rng, URL64, 28))


def azure_account(rng: Random) -> Planted:
    if rng.random() < 0.5:
        return Planted(
            base64_of(rng, 64),
            f"DefaultEndpointsProtocol=https;AccountName={text_of(rng, LOWER36, 10)};AccountKey=",
            ";EndpointSuffix=core.windows.net",
        )
    return Planted(
        base64_of(rng, 32),
        f"Endpoint=sb://{text_of(rng, LOWER36, 8)}.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey=",
        rng.choice(["", ";EntityPath=queue"]),
    )


def azure_sas(rng: Random) -> Planted:
    signature = base64_of(rng, 32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return Planted(
        signature,
        f"https://{text_of(rng, LOWER36, 9)}.blob.core.windows.net/c/f.txt?sv=2024-11-04&"
        f"st=2026-01-01T00%3A00%3A00Z&sr=b&sp=r&sig=",
        rng.choice(["", "&spr=https"]),
    )


def azure_client(rng: Random) -> Planted:
    return Planted(
        text_of(rng, BASE62, 3)
        + rng.choice("78")
        + "Q~"
        + text_of(rng, BASE62, 1)
        + text_of(rng, BASE62 + "_~.-", 32)
        + text_of(rng, BASE62, 1)
    )


def azure_devops(rng: Random) -> Planted:
    return Planted(text_of(rng, BASE62, 52) + "JQQJ99" + text_of(rng, BASE62, 18) + "AZDO" + text_of(rng, BASE62, 4))
