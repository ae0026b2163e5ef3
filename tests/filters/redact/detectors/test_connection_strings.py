"""Passwords in connection strings."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors import (
    CONNECTION_PASSWORD,
    DATABASE_URL_PASSWORD,
    DSN_PASSWORD,
    JDBC_PASSWORD,
    URL_PASSWORD,
)

from .found import found, only


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:[[secret]]@db:5432/app",
        "mongodb+srv://app:[[p%40ss]]@cluster0.example.net/?retryWrites=true", "redis://:[[hunter2]]@cache:6379/0",
        "amqp://guest:[[guest]]@mq", "https://ada:[[s3cret]]@example.com/x", "mysql://root:[[p@ss]]@db/app",
        "postgresql+asyncpg://app:[[y1]]@[2001:db8::1]:5432/x", '"url":"ftp://u:[[pw1]]@h"',
        "smtp://user:[[pass]]@mail.example.com", "postgres://app:[[12345]]@db",
    ],
)  # fmt: skip
def test_url_found(text: str) -> None:
    """Of a URL the password is masked, and nothing else."""
    assert only(URL_PASSWORD, text)


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.com:8443/a@b", "postgres://user:password@localhost/app", "postgres://${USER}:${PASS}@h",
        "mysql://u:<password>@h", "amqp://u:****@h", "http://h:80/x@2x.png", "redis://cache:6379/0?to=a@b.example",
        "https://git@github.com/x", "x://u:$PASSWORD@h", "https://x-access-token:x-oauth-basic@github.com",
        "mysql://u:your-password@h",
        "see http://a:b or mail c@d.example",
    ],
)  # fmt: skip
def test_url_not_found(text: str) -> None:
    """Ports, paths and placeholders are no passwords."""
    assert found(URL_PASSWORD, text) == []
    assert found(DATABASE_URL_PASSWORD, text) == []


@pytest.mark.parametrize("text", ["redis://:[[ab/cd?e]]@cache:6379", "postgres://app:[[x#y/z]]@db.example.com/app"])
def test_unencoded(text: str) -> None:
    """In URLs of databases, also with what should have been encoded."""
    assert only(DATABASE_URL_PASSWORD, text)


@pytest.mark.parametrize(
    "text",
    [
        "Server=tcp:db,1433;Initial Catalog=app;User ID=sa;Password=[[secret]];Encrypt=True",
        "Data Source=db;User Id=sa;Pwd=[[x!9]]",
        "Driver={ODBC Driver 18 for SQL Server};Server=db;UID=sa;PWD=[[abc]];",
        "Host=db; Username=app; Password = [[abc]]; SSL Mode=Require", "server=db;password=[[abc]]",
        f"server=db;password=[[{'a,!b' * 60}]];x=1",
    ],
)  # fmt: skip
def test_connection_found(text: str) -> None:
    """Of a connection string the password is masked, and nothing else."""
    assert only(CONNECTION_PASSWORD, text)


@pytest.mark.parametrize(
    "text",
    [
        "Server=db;Trusted_Connection=True;",
        "a.password=t;",
        "Server=db;Password={password};",
        "Server=db;Password=****;",
    ],
)
def test_connection_not_found(text: str) -> None:
    """Code, and strings without a password, have none."""
    assert found(CONNECTION_PASSWORD, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "jdbc:postgresql://db:5432/app?user=app&password=[[secret]]&ssl=true",
        "jdbc:mysql://db/app?password=[[secret]]",
        "jdbc:sqlserver://db:1433;databaseName=app;user=sa;password=[[secret]];",
        "jdbc:oracle:thin:scott/[[tiger]]@db:1521/orcl",
    ],
)  # fmt: skip
def test_jdbc_found(text: str) -> None:
    """Of an address of JDBC the password is masked, and nothing else."""
    assert only(JDBC_PASSWORD, text)


@pytest.mark.parametrize(
    "text", ["jdbc:postgresql://db/app?user=app", "jdbc:postgresql://db/app?password=${PASSWORD}", "jdbc:h2:mem:test"]
)
def test_jdbc_not_found(text: str) -> None:
    """An address without one has none."""
    assert found(JDBC_PASSWORD, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "host=db port=5432 user=app password=[[secret]] dbname=app",
        "user=app password=[[secret]]",
        f"user=app password=[[{'a!b1' * 60}]] x",
    ],
)
def test_dsn_found(text: str) -> None:
    """Of libpq's words the password is masked, and nothing else."""
    assert only(DSN_PASSWORD, text)


@pytest.mark.parametrize("text", ["host=db user=app dbname=x", "f(user=user, password=password)", "password=secret"])
def test_dsn_not_found(text: str) -> None:
    """Arguments in code are no such words."""
    assert found(DSN_PASSWORD, text) == []
