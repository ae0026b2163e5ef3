"""Passwords in connection strings."""

from __future__ import annotations

import re

from ..detector import Detector

__all__ = ["CONNECTION_PASSWORD", "DATABASE_URL_PASSWORD", "DSN_PASSWORD", "JDBC_PASSWORD", "URL_PASSWORD"]

_SHOWN = re.compile(
    rb"(?i:(?:your|my|the)[-_]?(?:pass(?:w(?:or)?d)?|pwd)(?:[-_]?here)?|oauth2|x-oauth-basic|x-token-auth)"
    rb"|\d{1,5}/.*|\[.*|\.{3}|\*+|[xX]+|(?:\xe2\x80\xa2)+",
    re.DOTALL,
)
"""What is written where a password belongs, or is a port."""


def _is_password(text: bytes) -> bool:
    if _SHOWN.fullmatch(text) or text.startswith((b"<", b"{", b"${", b"$(", b"$ENV", b"$env", b"%(", b"%s", b"#{")):
        return False
    return not (text.startswith(b"$") and text[1:].replace(b"_", b"").isalpha())


URL_PASSWORD = Detector(
    "url-password",
    rb"(?<=[0-9A-Za-z])://[^\s:@/?#\"'<>\\]{0,80}:"
    rb"(?!(?<=//user:)password@)(?!(?<=//username:)password@)(?!(?<=//USER:)PASSWORD@)"
    rb"(?P<secret>[^\s/?#\"'<>\\`]{1,200})@(?=[0-9A-Za-z\[])",
    valid=_is_password,
    words=(b"://",),
)
"""The password of ``scheme://user:password@host``, whatever the scheme (RFC 3986, 3.2.1)."""

DATABASE_URL_PASSWORD = Detector(
    "database-url-password",
    rb"(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\+srv|redis|rediss|valkey|amqps?|mssql|clickhouse|cassandra|"
    rb"cockroachdb|nats|smtps?|ldaps?)(?:\+[a-z0-9]{1,16})?://[^\s:@/\"'<>\\]{0,64}:"
    rb"(?P<secret>[^\s@/?#\"'<>\\`]{0,100}[/?#][^\s@\"'<>\\`]{0,100})@(?=[0-9A-Za-z\[])",
    valid=_is_password,
    words=(b"://",),
)
"""The same of databases and queues, with a ``/``, ``?`` or ``#`` in it that somebody has not encoded."""

_KEYS = (
    rb"(?i:server|data source|host|addr(?:ess)?|network address|initial catalog|database|user id|uid|user|username|"
    rb"dsn|driver|provider)"
)

CONNECTION_PASSWORD = Detector(
    "connection-password",
    _KEYS
    + rb"[ ]?=[ ]?[^;\r\n\"'<>=]{1,80};[ ]?(?:[A-Za-z ]{2,24}=[^;\r\n\"'<>=]{0,48};[ ]?){0,3}(?i:password|pwd)[ ]?=[ ]?"
    rb"(?P<secret>[^;\s\"'<>\\]{1,96})",
    valid=_is_password,
    words=(b"password", b"pwd"),
    swallow=rb"^;\s\"'<>\\",
)
"""The password of ``Server=...;User Id=...;Password=...;`` (ADO.NET, ODBC, OLE DB)."""

JDBC_PASSWORD = Detector(
    "jdbc-password",
    rb"jdbc:[a-z0-9]{2,16}:(?:[a-z0-9]{2,16}:[^\s/@?;\"'<>\\]{1,64}/|[^\s\"'<>\\?;]{0,120}[?;]"
    rb"(?:[A-Za-z_.]{1,24}=[^\s&;\"'<>\\]{0,40}[&;]){0,4}(?i:password|pwd)=)"
    rb"(?P<secret>[^\s\"'<>\\&;@]{1,90})",
    valid=_is_password,
    words=(b"jdbc:",),
    swallow=rb"^\s\"'<>\\&;@",
)
"""The password in an address of JDBC: ``?password=``, ``;password=``, and ``thin:user/password@`` of Oracle."""

DSN_PASSWORD = Detector(
    "dsn-password",
    rb"(?:host|hostaddr|dbname|user|port)=[^\s\"'=,]{1,64} (?:[a-z_]{2,16}=[^\s\"'=,]{1,48} ){0,4}password="
    rb"(?P<secret>[^\s\"'<>\\]{1,96})",
    valid=_is_password,
    words=(b"password=",),
    swallow=rb"^\s\"'<>\\",
)
"""The password in the words of libpq: ``host=... user=... password=...``."""
