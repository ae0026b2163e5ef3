"""Tokens and private keys of any service."""

from __future__ import annotations

import base64
import json
from random import Random

from ..drawing import BASE62, HEX, URL64, base64_of, text_of, uuid, words
from .planted import Planted

__all__ = ["age", "basic", "bearer", "jwk", "jwt", "pem", "putty"]


def _segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def jwt(rng: Random) -> Planted:
    claims: dict[str, object] = {
        "sub": uuid(rng), "iss": "https://id.example.com", "exp": 1790000000 + rng.randrange(10**7),
        "roles": words(rng, rng.choice([0, 3, 60])),
    }  # fmt: skip
    algorithm = rng.choice(["HS256", "RS256", "ES256", "EdDSA", "PS512"])
    header: dict[str, object] = {"alg": algorithm, "typ": "JWT"}
    if rng.random() < 0.5:
        header = {"typ": "JWT", "kid": text_of(rng, URL64, 22), "alg": algorithm}
    if rng.random() < 0.1:
        header = {"alg": "RSA-OAEP", "enc": "A256GCM"}
        return Planted(".".join([_segment(header), *(base64_of(rng, size, url=True) for size in (256, 12, 300, 16))]))
    if rng.random() < 0.1:
        header = {"alg": algorithm, "x5c": [base64_of(rng, 700)]}
    signature = base64_of(rng, 32 if algorithm == "HS256" else 64 if algorithm in ("ES256", "EdDSA") else 256, url=True)
    return Planted(f"{_segment(header)}.{_segment(claims)}.{signature}")


def bearer(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [text_of(rng, BASE62, rng.choice([24, 32, 64])), text_of(rng, HEX, 40), base64_of(rng, 33, url=True)]
        ),
        rng.choice(["Authorization: Bearer ", "authorization: bearer ", "Bearer "]),
    )


def basic(rng: Random) -> Planted:
    pair = f"{rng.choice(['ada', 'svc', 'app-user', 'root'])}:{text_of(rng, BASE62 + '!#$', rng.randrange(6, 20))}"
    return Planted(base64.b64encode(pair.encode()).decode(), "Authorization: Basic ")


def _lines(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def pem(rng: Random) -> Planted:
    kind, size, begins = rng.choice(
        [
            ("RSA PRIVATE KEY", 1190, b"\x30\x82"), ("PRIVATE KEY", 1218, b"\x30\x82"),
            ("EC PRIVATE KEY", 121, b"\x30\x77"),
            ("OPENSSH PRIVATE KEY", 400, b"openssh-key-v1\0"), ("ENCRYPTED PRIVATE KEY", 1300, b"\x30\x82"),
            ("DSA PRIVATE KEY", 440, b"\x30\x82"),
            ("PGP PRIVATE KEY BLOCK", 1800, b"\x95\x01"),
        ]
    )  # fmt: skip
    body = base64.b64encode(begins + rng.randbytes(size)).decode()
    headers = ""
    if kind == "RSA PRIVATE KEY" and rng.random() < 0.3:
        headers = f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{text_of(rng, '0123456789ABCDEF', 32)}\n\n"
    if kind.startswith("PGP"):
        headers = rng.choice(["\n", "Version: GnuPG v2.0.22 (GNU/Linux)\n\n", "Comment: https://gnupg.example.org\n\n"])
    newline = "\n"
    if not headers.strip() and not kind.startswith("PGP") and rng.random() < 0.2:
        newline = rng.choice(["", " ", "\r\n", "\\n"])
    lines = _lines(body, 64 if newline else len(body))
    return Planted(
        newline.join(lines), f"-----BEGIN {kind}-----{newline}{headers}", f"{newline}-----END {kind}-----{newline}"
    )


def putty(rng: Random) -> Planted:
    public = "\n".join(_lines(base64_of(rng, 279), 64))
    private = _lines(base64_of(rng, 650), 64)
    return Planted(
        "\n".join(private),
        f"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: key\nPublic-Lines: "
        f"6\n{public}\nPrivate-Lines: {len(private)}\n",
        "\nPrivate-MAC: " + text_of(rng, HEX, 64),
    )


def jwk(rng: Random) -> Planted:
    size, kind = rng.choice([(32, "EC"), (32, "OKP"), (48, "EC"), (256, "RSA")])
    between = rng.choice([":", ": "])
    return Planted(
        base64_of(rng, size, url=True),
        f'{{"kty"{between}"{kind}","use"{between}"sig","d"{between}"',
        f'","x"{between}"{base64_of(rng, 32, url=True)}"}}',
    )


def age(rng: Random) -> Planted:
    return Planted("AGE-SECRET-KEY-1" + text_of(rng, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58))
