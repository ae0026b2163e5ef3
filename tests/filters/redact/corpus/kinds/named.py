"""Secrets that their name tells, and passwords in connection strings."""

from __future__ import annotations

from random import Random

from ..drawing import BASE32, BASE62, HEX, LOWER36, base64_of, text_of, uuid, words
from .planted import Planted

__all__ = [
    "connection_password",
    "database_url_password",
    "dsn_password",
    "jdbc_password",
    "named_password",
    "named_secret",
    "url_password",
]


_SECRET_NAMES = (
    "api_key", "apiKey", "API_KEY", "api-key", "X-Api-Key", "secret", "client_secret", "clientSecret",
    "CLIENT_SECRET", "access_token", "accessToken",
    "refresh_token", "auth_token", "AUTH_TOKEN", "secret_key", "SECRET_KEY", "secretKey", "private_token",
    "signing_key", "encryption_key", "token",
    "GITEA_TOKEN", "webhook_secret", "JWT_SECRET", "session_secret", "app_key", "APP_KEY", "stripeSecretKey",
    "DATADOG_API_KEY", "sentryAuthToken",
)  # fmt: skip


def named_secret(rng: Random) -> Planted:
    value = rng.choice(
        [
            text_of(rng, HEX, rng.choice([32, 40, 64])), text_of(rng, BASE62, rng.choice([20, 24, 32, 40, 64])),
            text_of(rng, LOWER36, rng.choice([24, 32, 40])),
            base64_of(rng, rng.choice([24, 32, 48])), base64_of(rng, rng.choice([16, 32, 64]), url=True), uuid(rng),
            text_of(rng, BASE32, 32), text_of(rng, HEX.upper(), 32),
            text_of(rng, BASE62, 16),
        ]
    )  # fmt: skip
    return Planted(value, names=_SECRET_NAMES)


_PASSWORD_NAMES = (
    "password", "passwd", "Password", "db_password", "DB_PASSWORD", "dbPassword", "POSTGRES_PASSWORD", "userPassword",
    "pwd", "SMTP_PASS", "passphrase",
    "admin_password", "MYSQL_ROOT_PASSWORD", "spring.datasource.password", "password_hash",
)  # fmt: skip


def named_password(rng: Random) -> Planted:
    word = "".join(words(rng, 1))
    value = rng.choice(
        [
            text_of(rng, BASE62 + "!#$%*+@^_-", rng.randrange(10, 24)) + rng.choice("23456789") + rng.choice(BASE62),
            f"{word.title()}{rng.randrange(10, 99)}!", f"{word}{rng.randrange(1980, 2026)}",
            word.replace("e", "3").replace("o", "0").replace("a", "@") + "7!", text_of(rng, "0123456789", 8),
            f"{word}{rng.randrange(10)}",
            "$2b$12$" + text_of(rng, BASE62 + "./", 53), text_of(rng, HEX, 40),
        ]
    )  # fmt: skip
    return Planted(value, names=_PASSWORD_NAMES)


def _password(rng: Random) -> str:
    return rng.choice(
        [
            text_of(rng, BASE62 + "!$*-_.~", rng.randrange(8, 24)),
            "".join(words(rng, 1)),
            "".join(words(rng, 1)) + "42",
            "s3cr3t",
            "hunter2",
        ]
    )


_SCHEMES = """postgres postgresql mysql mongodb mongodb+srv redis rediss amqp amqps https http ftp sftp
postgresql+asyncpg mariadb smtp ldap"""


def url_password(rng: Random) -> Planted:
    scheme = rng.choice(_SCHEMES.split())
    user = (
        rng.choice(["app", "root", "svc_user", "", "admin", "reader.ro"])
        if scheme.startswith(("redis", "mongo"))
        else rng.choice(["app", "root", "svc_user"])
    )
    host = rng.choice(
        [
            "db.example.com:5432/app",
            "localhost/app",
            "cluster0.x1y2z.example.net/?retryWrites=true",
            "cache:6379/0",
            "mq.example.org",
            "[2001:db8::1]:5432/x",
        ]
    )
    return Planted(_password(rng), f"{scheme}://{user}:", f"@{host}")


def database_url_password(rng: Random) -> Planted:
    scheme = rng.choice(["redis", "postgres", "mysql", "amqp"])
    value = text_of(rng, BASE62, 8) + rng.choice("/#?") + text_of(rng, BASE62 + "/", 12) + rng.choice(BASE62)
    return Planted(value, f"{scheme}://{rng.choice(['app', 'default'])}:", "@db.example.com/app")


def connection_password(rng: Random) -> Planted:
    name = rng.choice(["Password", "Pwd", "PWD", "password"])
    before = rng.choice(
        [
            f"Server=tcp:db.example.com,1433;Initial Catalog=app;User ID=sa;{name}=",
            f"Server=db;Database=app;Uid=root;{name}=",
            f"Driver={{ODBC Driver 18 for SQL Server}};Server=db;UID=sa;{name}=",
            f"Host=db;Port=5432;Username=app;{name}=",
            f"Data Source=db;Initial Catalog=app; User Id=sa; {name}=",
        ]
    )  # fmt: skip
    return Planted(_password(rng), before, rng.choice([";", ";Encrypt=True;", ""]))


def jdbc_password(rng: Random) -> Planted:
    return Planted(
        _password(rng),
        *rng.choice(
            [
                ("jdbc:postgresql://db.example.com:5432/app?user=app&password=", "&ssl=true"),
                ("jdbc:mysql://db/app?useSSL=true&user=root&password=", ""),
                ("jdbc:sqlserver://db:1433;databaseName=app;user=sa;password=", ";encrypt=true"),
                ("jdbc:oracle:thin:scott/", "@db.example.com:1521/orcl"),
            ]
        ),
    )  # fmt: skip


def dsn_password(rng: Random) -> Planted:
    return Planted(
        _password(rng),
        "host=db.example.com port=5432 user=app password=",
        rng.choice([" dbname=app sslmode=require", " sslmode=disable", ""]),
    )
