"""Names, words, code and keys that look like secrets, and are public or none."""

from __future__ import annotations

import base64
import json
from random import Random

from ..drawing import BASE32, BASE62, HEX, LOWER36, URL64, base64_of, text_of, uuid, words
from ..kinds import Planted
from .numbers import number

__all__ = [
    "address_like",
    "cursor",
    "docs",
    "identifiers",
    "jwks",
    "label",
    "minified",
    "not_secret_name",
    "placeholder",
    "prose",
    "public_key",
]


def address_like(rng: Random) -> Planted:
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                f"@types/{one}@{rng.randrange(30)}.{rng.randrange(9)}.{rng.randrange(9)}", f"{one}@2x.png",
                f"icons/{one}@3x.jpg", f"{one}@{rng.randrange(9)}.{rng.randrange(9)}.0",
                f"git@github.com:{one}/{two}.git", f"ssh://git@gitlab.example.com:2222/{one}/{two}.git",
                f"@{one}", f"actions/{one}@v{rng.randrange(9)}", f"{one}@sha256:{text_of(rng, HEX, 64)}",
                f"@{one}@social.example", f"https://www.example.com/@{one}/{two}", f"{one} @ {two}",
                f"{one}@localhost", "user@host", "@media (min-width: 40em)",
                f"npm i {one}@latest {two}@^1.2.3",
                f"cdn.example.net/npm/{one}@{rng.randrange(9)}.2.1/dist/{two}.min.js", f"{one}@{two}",
                f"arn:aws:iam::{number(rng, 12)}:role/{one}",
            ]
        )
    )  # fmt: skip


def placeholder(rng: Random) -> Planted:
    names = (
        "api_key",
        "API_KEY",
        "password",
        "secret",
        "token",
        "client_secret",
        "DB_PASSWORD",
        "accessToken",
        "Authorization",
        "aws_secret_access_key",
    )
    return Planted(
        rng.choice(
            [
                "changeme", "${DB_PASSWORD}", "<your-api-key>", "xxxxxxxxxxxxxxxx", "null", "None",
                "YOUR_API_KEY_HERE", "********", "{{ secrets.API_KEY }}", "$API_KEY", "%API_KEY%", "REDACTED",
                "[hidden]", "your-secret-token", "true", "required", "string",
                "process.env.API_KEY", "os.environ", "/run/secrets/db_password", "vault:secret/data/app#key",
                "<token>", "sk_test_xxxxxxxxxxxxxxxxxxxxxxxx", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "AKIAXXXXXXXXXXXXXXXX", "AIzaXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "insert-token-here",
                "secretKeyRef", "default", "Bearer", "...", "undefined", "optional", "enter your password",
                "Must be at least 8 characters", "••••••••", "#{password}", "example", "test",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app", "op://vault/item/password", "!vault",
            ]
        ),
        names=names,
    )  # fmt: skip


def not_secret_name(rng: Random) -> Planted:
    """Drawn at random, behind a name that says that it may be shown."""
    value = rng.choice([text_of(rng, BASE62, 32), text_of(rng, HEX, 40), base64_of(rng, 32, url=True), uuid(rng)])
    names = (
        "nextPageToken", "next_page_token", "pageToken", "continuation_token", "csrf_token", "csrfToken",
        "csrfmiddlewaretoken", "authenticity_token", "__RequestVerificationToken", "syncToken", "cursor", "request_id",
        "trace_id", "etag", "nonce", "client_id", "key_id", "kid",
             "checksum", "session_name", "cache_key", "primary_key", "foreign_key", "public_key", "publishableKey",
             "sort_key", "sitekey", "idempotency_key", "object_key", "translation_key", "token_type", "token_id",
             "secret_name", "secretArn", "fingerprint", "signature_id", "hash")  # fmt: skip
    return Planted(value, names=names)


def label(rng: Random) -> Planted:
    """Words behind a telling name, as in translations, schemas and forms."""
    names = (
        "password",
        "token",
        "secret",
        "api_key",
        "credentials",
        "passwordHint",
        "Password",
        "pwd",
        "access_token",
        "private_key",
    )
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                "Passwort", "Mot de passe", "Contraseña", "Password", "Forgot your password?", f"{one}-{two}",
                f"{one}_{two}", f"{one}.{two}", f"{one.title()}{two.title()}", f"/{one}/{two}",
                f"https://www.example.com/{one}/reset", "Passwords do not match", f"{one}", "string", "varchar(255)",
                "2026-11-28T12:00:00Z",
                "Zugangsdaten", f"my-{one}-{two}", f"{one.title()} {two}", "false", "0", "12",
                f"{one}-{rng.randrange(9)}", f"projects/{one}/secrets/{two}/versions/latest", "include",
                "same-origin", "パスワード", "Необходимо",
            ]
        ),
        names=names,
    )  # fmt: skip


def public_key(rng: Random) -> Planted:
    body = base64_of(rng, rng.choice([294, 91, 900]))
    kind = rng.choice(
        [
            "PUBLIC KEY",
            "CERTIFICATE",
            "RSA PUBLIC KEY",
            "PGP PUBLIC KEY BLOCK",
            "PGP SIGNATURE",
            "CERTIFICATE REQUEST",
            "SSH SIGNATURE",
        ]
    )
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return Planted(
        rng.choice(
            [
                f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----",
                f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{text_of(rng, BASE62, 43)} ops",
                f"ssh-rsa AAAAB3NzaC1yc2E{body[:250]} me",
            ]
        )
    )


def jwks(rng: Random) -> Planted:
    key = {
        "kty": "RSA",
        "use": "sig",
        "kid": text_of(rng, URL64, 27),
        "alg": "RS256",
        "e": "AQAB",
        "n": base64_of(rng, 256, url=True),
        "x5t": base64_of(rng, 20, url=True),
    }
    if rng.random() < 0.5:
        key = {
            "kty": "EC",
            "crv": "P-256",
            "kid": uuid(rng),
            "x": base64_of(rng, 32, url=True),
            "y": base64_of(rng, 32, url=True),
        }
    return Planted(json.dumps({"keys": [key]}))


def minified(rng: Random) -> Planted:
    a, b, c, d = (rng.choice("abcdefghijklmnoprstuvwxyz") for _ in range(4))
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                f"!function({a},{b}){{var {c}={a}.password,{d}={b}.token||null;return {c}&&{d}.apiKey}}({a},{b});",
                f'{a}.exports={{getToken:function(){{return {b}.state.auth.token}},'
                f'setPassword:function({c}){{this.password={c}.target.value}}}};',
                f'const {a}="{one}_{two}_key",{b}={c}=>{c}.secretOrPrivateKey?.toString();',
                f"{a}.{one}=({b},{c})=>{{{b}.credentials=\"same-origin\",{b}.token={c}.getAccessToken()}};",
                f"(0,{a}.jsx)(\"input\",{{type:\"password\",name:\"{one}\",autoComplete:\"current-password\"}})",
                f"{a}.token={b}[{rng.randrange(99)}];{a}.passwordField=document.querySelector('#{one}-{two}');",
                f"var {a}=0x{text_of(rng, HEX, 8)},{b}=1e{rng.randrange(9)},{c}=.{number(rng, 17)};",
                f'{a}.secret="{one}";{a}.apiKey=void 0;{b}=window.__TOKEN__;',
                f'<path d="M{rng.randrange(99)}.5 10.{rng.randrange(9)}.{rng.randrange(9)}.{rng.randrange(9)}'
                f'c.4-10.2.3-.5 1.7-1.2 2.1l-4.3 5.6z"/>',
                f'.{one}-{two}{{background:url("/img/{one}@2x.png");color:#{text_of(rng, HEX, 6)}}}',
                f"sk-{one}-{two}-spinner-{one}", f'{{token:{a},type:"{one}",secret:!0,password:!1}}',
            ]
        )
    )  # fmt: skip


def docs(rng: Random) -> Planted:
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                'curl -H "Authorization: Bearer $TOKEN" https://api.example.com/v1/orders',
                "curl -u user:password https://api.example.com", "Authorization: Bearer <token>",
                "Set the password with --password and the token with --token.",
                "postgres://user:password@localhost:5432/app", "mysql://<user>:<password>@<host>/<db>",
                "https://${USER}:${PASSWORD}@example.com/",
                "Server=myServer;Database=myDb;User Id=myUser;Password=myPassword;",
                "Server=localhost;Database=app;Trusted_Connection=True;", "export API_KEY=your_api_key_here",
                "The file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
                "Basic authentication, Bearer tokens and API keys are supported.",
                "Bearer authentication is required for this endpoint", "Basic understanding of authentication",
                "jdbc:postgresql://localhost:5432/app?user=app&password=${PASSWORD}", "redis://localhost:6379/0",
                "amqp://localhost:5672/%2F", "mongodb://localhost:27017/app",
                f"https://www.example.com:8443/{one}/{two}@{rng.randrange(9)}.1",
                f"grant_type=client_credentials&client_id={one}&client_secret=CLIENT_SECRET",
                "Tokens look like sk_live_... and ghp_..., keys like AKIA...",
                "token: string; password?: string | null; secret: SecretStr", "SSN format: XXX-XX-XXXX",
                "IBAN: DExx xxxx xxxx xxxx xxxx xx",
                "ssn: 000-12-3456", "SSN 666-45-6789 is never given out",
                "AccountName=devstore;AccountKey=<key>;EndpointSuffix=core.windows.net", "sig=<signature>",
                "PGPASSWORD=$DB_PASSWORD psql -h db", "hooks.slack.com/services/T000/B000/XXXX",
                "Password must have 8 to 64 characters, 1 digit and 1 symbol.",
                "Your password was changed on 2026-11-28.", "secret=…&token=…", "credentials: 'include'",
                "access_token (string): the token, expires_in (integer): 3600",
                '{"access_token": "<string>", "token_type": "Bearer", "expires_in": 3600}',
            ]
        )
    )  # fmt: skip


def identifiers(rng: Random) -> Planted:
    return Planted(
        rng.choice(
            [
                f"AIDA{text_of(rng, BASE32, 16)}", f"AROA{text_of(rng, BASE32, 16)}", f"i-0{text_of(rng, HEX, 16)}",
                f"arn:aws:s3:::{'-'.join(words(rng, 3))}", f"AC{text_of(rng, HEX, 32)}",
                f"cus_{text_of(rng, BASE62, 14)}", f"pi_{text_of(rng, BASE62, 24)}",
                f"pk_live_{text_of(rng, BASE62, 24)}", f"price_1{text_of(rng, BASE62, 23)}",
                f"G-{text_of(rng, BASE32, 10)}", f"UA-{number(rng, 8)}-1", f"GTM-{text_of(rng, BASE32, 7)}",
                f"projects/{words(rng, 1)[0]}-{number(rng, 6)}",
                f"{number(rng, 12)}-{text_of(rng, LOWER36, 32)}.apps.googleusercontent.com",
                f"U0{text_of(rng, BASE32, 9)}", text_of(rng, BASE62[:52], 11),
                f"01{text_of(rng, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)}", f"req_{text_of(rng, BASE62, 24)}",
                f"sub_{text_of(rng, BASE62, 24)}", f"bafybei{text_of(rng, BASE32.lower(), 52)}",
                f"Qm{text_of(rng, BASE62, 44)}", f"0x{text_of(rng, HEX, 40)}", f"vpc-0{text_of(rng, HEX, 16)}",
                f"/subscriptions/{uuid(rng)}/resourceGroups/app",
                f"{number(rng, 8)}:{number(rng, 5)}", f"xn--{text_of(rng, LOWER36, 12)}", f"SKU{number(rng, 8)}",
                f"SK-{number(rng, 5)}", f"eu-{text_of(rng, LOWER36, 6)}", f"pat-{words(rng, 1)[0]}",
            ]
        )
    )  # fmt: skip


def cursor(rng: Random) -> Planted:
    state = {"id": rng.randrange(10**6), "after": uuid(rng), "dir": "next"}
    return Planted(
        base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("="),
        names=("cursor", "after", "next", "state", "q"),
    )


def prose(rng: Random) -> Planted:
    return Planted(" ".join(words(rng, rng.choice([20, 60]))))
