"""Conditions have no truth value: ``and``, ``or``, ``not`` and ``if`` lose half of what was meant.

A checker cannot call them errors, only say that what comes of them is never evaluated. mypy does where
``warn_unreachable`` and ``redundant-expr`` are on.
"""

from __future__ import annotations

import re

from revproxy import Exchange, Key, Rule, Severity, Upstream, When, block, when

inside = when.client_in("10.0.0.0/8")
admin = when.path("/admin/*")
api = Upstream("http://10.0.0.1:8080")
COUNTRY: Key[str] = Key("country")


def with_and() -> When:
    return admin and inside  # E: redundant-expr, unreachable (mypy alone)


def with_or() -> When:
    return admin or inside  # E: redundant-expr, unreachable (mypy alone)


def with_and_in_place() -> Rule:
    return Rule(when.path("/admin/*") and when.method("GET"), block())  # E: redundant-expr, unreachable (mypy alone)


def with_or_behind_an_operator() -> Rule:
    return Rule(admin & ~inside or when.method("GET"), block())  # E: redundant-expr, unreachable (mypy alone)


def with_not() -> Rule:
    return Rule(not inside, block())  # E: arg-type


def as_a_condition_of_python() -> int:
    return 1 if inside else 2  # E: redundant-expr


def as_a_statement() -> int:
    if inside:  # E: reportGeneralTypeIssues (pyright alone)
        return 1  # E: unreachable (mypy alone)
    return 2  # E: unreachable (mypy alone)


def as_a_filter_of_python() -> list[When]:
    return [each for each in (admin, inside) if each]  # E: redundant-expr


def asserted() -> None:
    assert inside  # E: reportGeneralTypeIssues (pyright alone)


def negated() -> bool:
    return not inside  # E: reportGeneralTypeIssues (pyright alone)


# What is joined with what.


def functions(exchange: Exchange) -> bool:
    return True


admin & functions  # E: operator
admin & True  # E: operator
admin & "GET"  # E: operator
admin | None  # E: operator
admin + inside  # E: operator
admin - inside  # E: operator
-admin  # E: operator
admin("/admin/x")  # E: arg-type
admin & when.path  # E: operator
admin.tests  # E: attr-defined
when.paths("/admin/*")  # E: attr-defined

# What the factories take.


async def asks_somebody(exchange: Exchange) -> bool:
    return True


def says_text(exchange: Exchange) -> str:
    return "yes"


def of_a_path(path: str) -> bool:
    return True


when.path(b"/admin")  # E: arg-type
when.path(["/admin", "/root"])  # E: arg-type
when.path(re.compile("/admin"))  # E: arg-type
when.path("/admin", True)  # E: arg-type
when.path("/admin", case_sensitive="no")  # E: arg-type
when.method(["GET", "HEAD"])  # E: arg-type
when.scheme("ftp")  # E: arg-type
when.host(443)  # E: arg-type
when.header("X-A", 1)  # E: arg-type
when.header("X-A", re.compile(b"1"))  # E: arg-type
when.header({"X-A": "1"})  # E: arg-type
when.query("page", 1)  # E: arg-type
when.cookie("session", True)  # E: arg-type
when.client_in(10)  # E: arg-type
when.check(asks_somebody)  # E: arg-type
when.check(says_text)  # E: arg-type
when.check(of_a_path)  # E: arg-type
when.check(admin, "admin")  # E: call-arg
when.key("country", "CH")  # E: arg-type
when.key(COUNTRY, 41)  # E: arg-type
when.key(COUNTRY, lambda country: country + 1)  # E: operator
when.key(COUNTRY, of_a_path, name="country")  # E: call-arg

# Rules.

Rule("/admin/*", block())  # E: arg-type
Rule(functions, block())  # E: arg-type
Rule(lambda exchange: True, block())  # E: arg-type
Rule(True, block())  # E: arg-type
Rule(block(), admin)  # E: arg-type
Rule(admin, admin)  # E: arg-type
Rule(when.path, block())  # E: arg-type
Rule(admin, block(), "from outside")  # E: call-arg
Rule(admin, block(), severity="critical")  # E: arg-type
Rule(admin, block(), severity=50)  # E: arg-type
Rule(admin, block(), severity=Severity)  # E: arg-type
Rule(admin, block(), severity=Severity.FATAL)  # E: attr-defined
Rule(admin, block(), shadow="yes")  # E: arg-type
Rule(admin, block(), shaddow=True)  # E: call-arg
Rule(admin, block()).name = "another"  # E: misc
