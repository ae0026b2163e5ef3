"""Who may: what does not hold is refused."""

from __future__ import annotations

import pytest

from revproxy import Exchange, Response, when
from revproxy.errors import Forbidden
from revproxy.facts import Principal
from revproxy.filters.auth import Authorize
from revproxy.identity import PRINCIPAL
from revproxy.testing import exchange
from revproxy.when import When


async def site(exchange: Exchange) -> Response:
    return Response(200)


async def test_who_may() -> None:
    """Whoever has the role; nobody, where nobody is known."""
    subject = Authorize(when.key(PRINCIPAL, lambda principal: "admin" in principal.roles))
    for principal, may in (
        (Principal("ada", "basic", frozenset({"admin"})), True),
        (Principal("bob", "basic"), False),
        (None, False),
    ):
        asked = exchange()
        if principal is not None:
            asked[PRINCIPAL] = principal
        if may:
            assert (await subject(asked, site)).status == 200
        else:
            with pytest.raises(Forbidden):
                await subject(asked, site)
    assert subject.requires == {PRINCIPAL}


@pytest.mark.parametrize(
    ("condition", "may"),
    [
        (when.key(PRINCIPAL, lambda principal: principal.name != "eve"), False),
        (~when.key(PRINCIPAL, lambda principal: principal.name == "eve"), True),
        (~when.path("/admin/*") | when.key(PRINCIPAL, lambda principal: True), True),
    ],
    ids=repr,
)
async def test_what_is_not_known(condition: When, may: bool) -> None:
    """A condition on who it is does not hold for nobody, and ``~`` turns that round: who may is to be said, as the
    docstring has it."""
    subject = Authorize(condition)
    if may:
        assert (await subject(exchange(), site)).status == 200
    else:
        with pytest.raises(Forbidden):
            await subject(exchange(), site)


def test_nonsense() -> None:
    with pytest.raises(TypeError, match=r"when: True is not a condition"):
        Authorize(True)  # type: ignore[arg-type]
