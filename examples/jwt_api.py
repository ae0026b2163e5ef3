"""An API whose clients show tokens (JWT) of an issuer, and a server that believes nobody but the proxy.

The issuer publishes its keys; the proxy fetches them, has them fetched again when a token comes that a new key has
signed, and goes on with those that it has while the issuer is away. Readers may read, editors may write. The server is
told who asks in X-User, signed, so that it can tell the proxy's word from that of whoever else reaches its port.

python examples/jwt_api.py            serves, with an issuer and a server of its own, until interrupted
python examples/jwt_api.py --check    asks with tokens good and bad, prints what came back, and exits
"""

import asyncio
import json
import logging
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import jwt
from aiohttp import ClientSession, web
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from revproxy import Pipeline, ProxyHandler, Rule, Rules, Upstream, when
from revproxy.filters import RateLimit, Signed
from revproxy.filters.auth import Authorize, Jwks, Jwt
from revproxy.identity import PRINCIPAL
from revproxy.limiters import Gcra
from revproxy.signatures import BadSignature, verify

CHECK = "--check" in sys.argv
PORT = 8080
ISSUER, AUDIENCE = "https://login.example", "notes"


class Issuer:
    """Stands for a login service: makes tokens, and publishes the public part of its key."""

    def __init__(self) -> None:
        self.rotate()

    def rotate(self) -> None:
        """Have another key from now on."""
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), secrets.token_hex(4)

    def token(self, name: str, scope: str, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "scope": scope, "iat": now, "exp": now + 300, **claims}
        return jwt.encode(said, self.key, "ES256", {"kid": self.kid})

    def app(self) -> web.Application:
        async def jwks(request: web.Request) -> web.Response:
            public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return web.json_response({"keys": [{**public, "kid": self.kid, "use": "sig", "alg": "ES256"}]})

        app = web.Application()
        app.router.add_get("/jwks", jwks)
        return app


def notes(keys: dict[str, bytes]) -> web.Application:
    """Stands for a server: it takes a request only with a signature of the proxy's."""

    async def answer(request: web.Request) -> web.Response:
        try:
            said = verify(request.method, request.raw_path, request.headers.items(), keys, now=time.time())
        except BadSignature as error:
            raise web.HTTPForbidden(text=f"not from the proxy: {error}\n") from None
        return web.Response(text=f"{request.method} by {said.fields['x-user']}\n")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


def gateway(issuer: str, server: str, key: bytes) -> web.Application:
    def may(scope: str) -> Authorize:
        return Authorize(when.key(PRINCIPAL, lambda principal: scope in principal.roles))

    site = Upstream(server, name="notes")
    rules = Rules(
        Rule(when.method("GET", "HEAD"), Pipeline(may("notes:read"), handler=site)),
        Rule(when.anything, Pipeline(may("notes:write"), handler=site)),
    )
    proxy = ProxyHandler(
        rules,
        filters=[
            RateLimit(Gcra(rate=100, burst=200)),  # before what costs more than it: a wrong token takes 0.1 ms
            Jwt(
                Jwks(Upstream(issuer, name="issuer"), "/jwks", name="login", cooldown=1),
                algorithms=["ES256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                roles="scope",
                field="X-User",
            ),
            Signed(key, fields=["X-User"]),
        ],
    )
    app = web.Application()
    proxy.mount(app)
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[tuple[str, web.AppRunner]]:
    """Serve ``app`` on the loopback interface; its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2]), runner
    finally:
        await runner.cleanup()


async def check(url: str, server: str, issuer: Issuer, login: web.AppRunner) -> None:
    async with ClientSession() as client:

        async def ask(what: str, token: str, method: str = "GET", at: str = url) -> tuple[int, str]:
            headers = {"X-User": "root", **({"Authorization": f"Bearer {token}"} if token else {})}
            async with client.request(method, f"{at}/notes/1", headers=headers) as response:
                said = (await response.text()).strip()
                if response.content_type == "application/problem+json":
                    said = json.loads(said)["title"]
                print(f"{what}: {response.status} {said}")
                return response.status, said

        ada = issuer.token("ada", "notes:read")
        assert await ask("a reader reads", ada) == (200, "GET by ada")
        assert (await ask("a reader writes", ada, "PUT"))[0] == 403
        assert await ask("an editor writes", issuer.token("bob", "notes:read notes:write"), "PUT") == (
            200,
            "PUT by bob",
        )
        assert (await ask("nobody", ""))[0] == 401
        assert (await ask("a token that has expired", issuer.token("ada", "notes:read", exp=1)))[0] == 401
        assert (await ask("a token for another service", issuer.token("ada", "notes:read", aud="mail")))[0] == 401
        stranger = Issuer()
        stranger.kid = issuer.kid
        assert (await ask("a token of another issuer", stranger.token("ada", "notes:read")))[0] == 401
        assert (await ask("around the proxy", "", at=server))[0] == 403
        issuer.rotate()
        assert (await ask("a token with a new key", issuer.token("ada", "notes:read")))[0] == 200
        assert (await ask("the one with the old key", ada))[0] == 401
        await login.cleanup()
        assert (await ask("while the issuer is away", issuer.token("ada", "notes:read")))[0] == 200


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    issuer, key = Issuer(), secrets.token_bytes(32)
    async with AsyncExitStack() as stack:
        login, runner = await stack.enter_async_context(serving(issuer.app()))
        server, _ = await stack.enter_async_context(serving(notes({"proxy": key})))
        url, _ = await stack.enter_async_context(serving(gateway(login, server, key), 0 if CHECK else PORT))
        if CHECK:
            await check(url, server, issuer, runner)
        else:
            token = issuer.token("ada", "notes:read notes:write", exp=int(time.time()) + 86400)
            print(f"{url}; curl -H 'Authorization: Bearer {token}' {url}/notes/1")
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
