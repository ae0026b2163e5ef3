"""Secrets that only their name tells."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors import NAMED_PASSWORD, NAMED_SECRET

from .found import found, only

KEY = "9f8e1c0b77d24a6fb1c3"


@pytest.mark.parametrize(
    "text",
    [
        '"api_key":"[[K]]"', '"apiKey" : "[[K]]"', "API_KEY=[[K]]", "export API_KEY='[[K]]'", "api-key: [[K]]",
        "X-Api-Key: [[K]]\r\n", "?token=[[K]]&x=1", "token = [[K]]", "secret := \"[[K]]\"",
        "'client_secret' => '[[K]]',", "<token>[[K]]</token>", "<td>API key</td><td>[[K]]</td>",
        "<dt>Secret</dt>\n<dd><code>[[K]]</code></dd>",
        '<input name="api_key" value="[[K]]">', '{"name":"API_KEY","value":"[[K]]"}',
        '{\\"accessToken\\":\\"[[K]]\\"}', '"Authorization: Token token=[[K]]"', "JWT_SECRET=[[K]]",
        "stripeSecretKey: '[[K]]'", "GITEA_TOKEN_2=[[K]]", '"credentials":"[[K]]"', "--private-key=[[K]]",
        '"secret":"[[550e8400-e29b-41d4-a716-446655440000]]"', "token: Bearer [[K]]",
    ],
)  # fmt: skip
def test_secret_found(text: str) -> None:
    """What was drawn is found behind a telling name in every spelling, and is masked whole."""
    assert only(NAMED_SECRET, text.replace("[[K]]", f"[[{KEY}]]"))


def test_secret_of_any_length() -> None:
    """However long it is, it is masked to its end."""
    long = KEY * 60
    assert found(NAMED_SECRET, f'"token":"{long}","x":1') == [long.encode()]


@pytest.mark.parametrize(
    "text",
    [
        '"nextPageToken":"K"', "page_token=K", '"csrf_token":"K"', 'name="csrfmiddlewaretoken" value="K"',
        'name="authenticity_token" value="K"', 'name="__RequestVerificationToken" value="K"',
        'name="_token" value="K"', '"public_key":"K"', "publishableKey: 'K'", '"sort_key":"K"', '"token_type":"K"',
        '"secret_name":"K"', '"tokenizer":"K"',
        '"id":"K"', "token K", '"token":"${K}"', '"token":"refresh-token-of-the-user"',
        '"secret":"changeme-changeme-1"', '"api_key":"your-api-key-goes-here"', '"token":"1234567890123456"',
        '"secret":"arn:aws:secretsmanager:K"', "token=e.getAccessToken1()", '"token":"K is what a key looks like"',
        '"token":""', "credentials: 'same-origin'",
        '"api_key":"short9f8e1c"',
    ],
)  # fmt: skip
def test_secret_not_found(text: str) -> None:
    """What guards forms and what leads through lists is left, and so are labels, messages, references and
    placeholders."""
    assert found(NAMED_SECRET, text.replace("K", KEY)) == []


@pytest.mark.parametrize(
    "text",
    [
        '"password":"[[hunter2]]"', "DB_PASSWORD=[[Tr0ub4dor]]", "password: [[s3cr3t!]]",
        "<password>[[p@ssw0rd]]</password>", "SMTP_PASS=[[x7mail]]", "spring.datasource.password=[[abc123]]",
        '"pwd" : "[[12345678]]"', '"password":"[[$2b$12$WApznUOJfkEGSmYRfnkrPOr466oFDCaj4b6HY3EXGvfxm43seywhC]]"',
        '"password":"[[wei(rd){9}]]"', "--password=[[a-b1_c]]",
        '{"name":"password","value":"[[hunter2]]"}', "userPassword=[[hunter2]]&x",
        '"password":"[[' + "aB3!x" * 90 + ']]"', "password=[[" + "a1$?b" * 90 + "]]&x=1",
        '"password":"[[{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g]]"',
        '\\"password\\":\\"[[hunter2]]\\"', '"password":"[[it\'s<1>`&x]]"',
        '"password":"[[}],12345]]"', '""password"":""[[hunter2]]""',
    ],
)  # fmt: skip
def test_password_found(text: str) -> None:
    """A password with a digit or a sign within is found."""
    assert only(NAMED_PASSWORD, text)


@pytest.mark.parametrize(
    "text",
    [
        '"password":"Passwort"', '"password":"Forgot your password?"', '"password":"Password1 is too common"',
        '"password":"********"', "password=${DB_PASSWORD}", '"password":"<password>"',
        "this.password=e.target.value1", '"password":"required|min:8"', '"passwordHint":"hunter2"', "bypass=hunter22",
        '"password":"/run/secrets/db1"', '"password":"a1b2"', 'type="password" name="field1"',
        "password: string", "password = getpass1()", "password: {type: 'x1'}", '"password_changed_at":"2026-11-28"',
        "compass: n0rth1",
    ],
)  # fmt: skip
def test_password_not_found(text: str) -> None:
    """Labels, messages, variables, rules and code are no passwords."""
    assert found(NAMED_PASSWORD, text) == []
