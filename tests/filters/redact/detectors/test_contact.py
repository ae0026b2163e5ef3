"""E-mail addresses and telephone numbers."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors import EMAIL, NATIONAL_PHONE, PHONE

from .found import found, only


@pytest.mark.parametrize(
    "text",
    [
        "[[alice@example.com]]", "<[[alice.b+news@mail.example.co.uk]]>", "mailto:[[alice@example.com]]?subject=x",
        "'[[alice@example.com]]'", "[[o'brien@example.com]],", "email=[[alice%40example.com]]&x",
        "email%3D[[alice%40example.com]]", "email=[[alice%2Bnews%40example.com]]", "[[müller@example.de]]",
        "メール[[taro@example.jp]]まで", "[[a@b.io]].", "[[ALICE@EXAMPLE.COM]]", "to\\n[[alice@example.com]]",
        "[[x_y-z@sub-domain.example.museum]]", "[[alice@xn--mller-kva.example]]", "[[alice@example.com]]:hunter2",
        "([[alice@example.com]])", f"[[{'a' * 64}@example.com]]", "[[alice@müller.example]]",
        "/users/[[alice@example.com]]/orders",
    ],
)  # fmt: skip
def test_email_found(text: str) -> None:
    """An address is found whole, and nothing beside it."""
    assert only(EMAIL, text)


@pytest.mark.parametrize(
    "text",
    [
        "icon@2x.png", "@types/node@18.0.0", "lodash@npm", "git@github.com:a/b.git", "ssh://git@example.com/a",
        "@alice@social.example", "user@localhost", "a@b", "https://alice@example.com/", "cdn/npm/vue@3.2.1/dist/x.js",
        "x@sha256:ab", "a..b@example.com", "photo@home.jpeg", "pkg@v1.2.rc", "@media screen", "a@-b.com",
        "${PASS}@example.com",
    ],
)  # fmt: skip
def test_email_not_found(text: str) -> None:
    """Files, packages, hosts and names of social networks look like addresses, and are none."""
    assert found(EMAIL, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[[+14155552671]]", "call [[+1 (415) 555-2671]].", "[[+1-555-123-4567]]", "[[+44 20 7946 0958]]",
        "[[+44 (0)20 7946 0958]]", "tel:[[+49-30-901820]]", '"[[+33 6 12 34 56 78]]"', "tel=[[%2B14155552671]]",
        "[[+49 (0)89 1234567]]", "[[+81 3-1234-5678]]", "[[+86 138 0013 8000]]", "[[+7 912 345-67-89]]",
        "[[+852 9123 4567]]",
        "[[+33 6 12 34 56 78]] 12:30", "Tel.\\n[[+14155552671]]", "[[+1\u00a0415\u00a0555\u00a02671]]",
        "[[+971 50 123 4567]]", "[[+380 67 123 45 67]]",
    ],
)  # fmt: skip
def test_phone_found(text: str) -> None:
    """An international number is found from its plus on, however it is grouped."""
    assert only(PHONE, text)


@pytest.mark.parametrize(
    "text",
    [
        "+0200",
        "+1234",
        "+999123456789",
        "+1 115 555 2671",
        "a+14155552671",
        "1e+10000000000",
        "+141555526711",
        "+35236450.6",
        "++14155552671",
        "+2101234567890",
        "14155552671",
        "+1.23456789012",
        "+44 1",
        "abc/+14155552671",
    ],
)
def test_phone_not_found(text: str) -> None:
    """Zones, sums, other lengths and codes that are nobody's are no telephone numbers."""
    assert found(PHONE, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[[(415) 555-2671]]",
        "[[415-555-2671]]",
        "[[415.555.2671]]",
        "[[030/901820]]",
        "[[020 7946 0958]]",
        "[[01 23 45 67 89]]",
    ],
)
def test_national_found(text: str) -> None:
    """The detector that is not one of all finds numbers without a country."""
    assert only(NATIONAL_PHONE, text)


@pytest.mark.parametrize(
    "text",
    ["4155552671", "115-555-2671", "415-155-2671", "415-555-26711", "1-415-555-2671-2", "2026-11-28", "3.415.555.2671"],
)
def test_national_not_found(text: str) -> None:
    """It does not find what has no separators, or is part of more."""
    assert found(NATIONAL_PHONE, text) == []
