"""Clients and upstreams that misbehave at random on both sides of one proxy.

Whatever they do, nothing may be left of it, and those who behave get what is theirs.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import os
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qs

from aiohttp.http_exceptions import HttpProcessingError

from revproxy import Exchange, Limits, ProxyHandler, Response, Timeouts, Upstream
from revproxy.errors import ConnectionLost
from revproxy.testing import (
    FakeUpstream,
    Step,
    Turn,
    close,
    close_while_idle,
    delay,
    drip,
    head,
    interim,
    raw,
    reset,
    respond,
    stall,
)
from revproxy.testing.script import Action

from .wire import TIMEOUT, Answer, Client, Site, serving

PATIENCE = 0.8
"""Seconds of every deadline in the proxy under test."""

CONCURRENCY = 64
ENDPOINTS = 3

SERVED = (
    "length",
    "chunked",
    "until close",
    "dripped",
    "late",
    "early",
    "hinted",
    "closing",
    "leaving",
    "excess",
    "huge",
)
"""What upstreams do that gives a whole response."""
REFUSED = ("garbage", "half a head", "lost", "reset", "silent", "deaf", "misframed", "smuggling", "refused")
"""What gives the client an error."""
CUT = ("short", "short chunks", "bad chunks", "reset amid", "silent amid")
"""What cuts the client's connection, if the response has begun."""

BEHAVED = ("reads", "reads", "reads slowly")
RUDE = (
    "leaves sending",
    "leaves waiting",
    "leaves reading",
    "stalls sending",
    "stalls reading",
    "half-closes",
    "sends nonsense",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One request: what both sides are going to do."""

    number: int
    kind: str
    manner: str
    method: str
    size: int
    """Of the response's body, about."""
    upload: bytes | None
    chunked: bool
    where: float
    """How far the client gets before it misbehaves: 0 to 1."""
    by_reset: bool

    @property
    def request(self) -> bytes:
        line = f"{self.method} /{self.kind.replace(' ', '-')}?n={self.number}&size={self.size} HTTP/1.1"
        fields = f"Host: a.test\r\nX-Sha256: {hashlib.sha256(self.upload or b'').hexdigest()}\r\n"
        start = f"{line}\r\n{fields}".encode()
        if self.upload is None:
            return start + b"\r\n"
        if not self.chunked:
            return start + b"Content-Length: %d\r\n\r\n%b" % (len(self.upload), self.upload)
        pieces = (self.upload[at : at + 5000] for at in range(0, len(self.upload), 5000))
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return start + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def plans(count: int, rng: random.Random) -> Iterator[Plan]:
    for number in range(count):
        kind = rng.choice((rng.choice(SERVED), rng.choice(SERVED), rng.choice(REFUSED), rng.choice(CUT)))
        method = rng.choice(("GET", "GET", "POST", "POST", "PUT", "HEAD"))
        if method == "HEAD" and kind in CUT:
            kind = "length"  # there is nothing to cut, and what came late would be the next response's head
        upload = None
        if method in ("POST", "PUT"):
            upload = rng.randbytes(rng.choice((0, 1, 1000, 70_000, 300_000)))
        yield Plan(
            number=number,
            kind=kind,
            manner=rng.choice((rng.choice(BEHAVED), rng.choice(BEHAVED), rng.choice(RUDE))),
            method=method,
            size=6_000_000 if kind == "huge" else rng.choice((0, 1, 1000, 100_000, 400_000)),
            upload=upload,
            chunked=rng.random() < 0.5,
            where=rng.random(),
            by_reset=rng.random() < 0.5,
        )


def content(number: int, size: int) -> bytes:
    """The body of the response to the request of this number."""
    return (b"%d," % number) * (size // 8)


# The upstream's side.


def script(kind: str, number: int, size: int) -> list[Step]:
    data = content(number, size)
    fields = {"X-Number": str(number)}
    whole = respond(headers=fields, body=data)
    half = data[: len(data) // 2] or b"x"
    steps: dict[str, list[Step]] = {
        "length": [whole],
        "chunked": [respond(headers=fields, body=data, chunked=[1, 1000, 70_000])],
        "until close": [respond(headers=fields, body=lambda: [half, data[len(half) :]] if data else [])],
        "dripped": [head(headers={**fields, "Content-Length": str(len(data))}), drip(data, max(1, len(data) // 5))],
        "late": [delay(0.03), whole],
        "early": [whole],
        "hinted": [interim(103, {"Link": "</a>"}), interim(102), whole],
        "closing": [respond(headers=fields, body=data, close=True)],
        "leaving": [whole, close_while_idle()],
        "excess": [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Number: -1\r\n"), stall()],
        "huge": [respond(headers=fields, body=data)],
        "garbage": [raw(b"\x16\x03\x01" + half[:100]), stall()],
        "half a head": [raw(b"HTTP/1.1 200 OK\r\nX-Num"), close()],
        "lost": [close()],
        "reset": [reset()],
        "silent": [stall()],
        "deaf": [delay(1.5 * PATIENCE), reset()],  # who does not read does not see who leaves
        "misframed": [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"), stall()],
        "smuggling": [
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            stall(),
        ],
        "short": [head(headers={**fields, "Content-Length": str(len(data) + 9)}), raw(half), close()],
        "short chunks": [head(headers={"Transfer-Encoding": "chunked"}), raw(b"1\r\nx\r\n"), close()],
        "bad chunks": [head(headers={"Transfer-Encoding": "chunked"}), delay(0.01), raw(b"1\r\nx\r\nzz\r\n"), stall()],
        "reset amid": [head(headers={**fields, "Content-Length": str(len(data) + 9)}), raw(half), reset()],
        "silent amid": [head(headers={**fields, "Content-Length": str(len(data) + 9)}), raw(half), stall()],
    }
    return steps[kind]


class Server:
    """What every endpoint does: as the request says. It notes uploads that are not what they should be."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    async def __call__(self, turn: Turn) -> None:
        request = turn.request
        kind, query = request.path[1:].replace("-", " "), parse_qs(request.target.partition("?")[2])
        if kind == "deaf":
            await turn.stop_reading()
        elif kind == "early":
            await turn.ignore_body()
        else:
            await turn.read_body()
            if [request.sha256] != request.getall("X-Sha256"):
                self.wrong.append(f"an upload of {request.body_length} bytes to {request.target}")
        for step in script(kind, int(query["n"][0]), int(query["size"][0])):
            await step(turn)


# The client's side.


class Misserved(AssertionError):
    """A client that behaved did not get what was its due."""


class Crowd:
    """The clients; ``came`` counts what became of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.came: Counter[str] = Counter()

    async def visit(self, visits: Sequence[Plan]) -> None:
        """Request after request on one connection, and on the next when somebody has ended it."""
        todo = iter(visits)
        for plan in todo:
            async with self.site.connect(receive_buffer=65536) as client:
                following: Plan | None = plan
                while following is not None and await self.one(client, following):
                    following = next(todo, None)

    async def one(self, client: Client, plan: Plan) -> bool:
        """False: the connection has ended."""
        if plan.manner not in RUDE:
            return await self.behave(client, plan)
        with suppress(ConnectionError, EOFError):
            await self.misbehave(client, plan)
        self.came["rude"] += 1
        return False

    async def behave(self, client: Client, plan: Plan) -> bool:
        """Send a request, read its response. False: the connection has ended."""
        with suppress(ConnectionError):  # there may be an answer nevertheless
            await client.send(plan.request)
        if plan.manner == "reads slowly":
            await asyncio.sleep(plan.where * 0.05)
        try:
            answer = await client.final(to=plan.method)
        except EOFError:
            if plan.kind not in CUT:
                raise Misserved(f"cut: {plan}") from None
            self.came["cut"] += 1
            return False
        self.came[self.judge(plan, answer)] += 1
        return answer.getall(b"Connection") != [b"close"]

    def judge(self, plan: Plan, answer: Answer) -> str:
        if answer.status == 200:
            expected = b"" if plan.method == "HEAD" or plan.kind == "excess" else content(plan.number, plan.size)
            number = [] if plan.kind == "excess" else [str(plan.number).encode()]
            if plan.kind not in SERVED:
                raise Misserved(f"served: {answer.raw_head!r} {plan}")
            if answer.getall(b"X-Number") != number:
                raise Misserved(f"somebody else's: {answer.raw_head!r} {plan}")
            if answer.body != expected:
                raise Misserved(f"{len(answer.body)} bytes: {plan}")
            return "served"
        if answer.status == 502 and (ConnectionLost.title.encode() in answer.body or plan.method == "HEAD"):
            return "refused" if plan.kind in REFUSED else "lost"  # an upstream may close just when a request is sent
        if plan.kind not in REFUSED and plan.kind not in CUT:
            raise Misserved(f"refused: {answer.raw_head!r} {answer.body!r} {plan}")
        if answer.status not in (502, 504):
            raise Misserved(f"{answer.status}: {plan}")
        return "refused"

    async def misbehave(self, client: Client, plan: Plan) -> None:
        data = plan.request
        part = int(len(data) * plan.where)
        match plan.manner:
            case "leaves sending":
                await client.send(data[:part])
            case "leaves waiting":
                await client.send(data)
                await asyncio.sleep(plan.where * 0.05)
            case "leaves reading":
                await client.send(data)
                answer = await client.head()
                if plan.method != "HEAD":
                    size = int((answer.getall(b"Content-Length") or [b"1"])[0])
                    await client.exactly(int(plan.where * size))
            case "stalls sending":
                await client.send(data[:part])
                if data.find(b"\r\n\r\n") + 4 <= part:
                    await client.rest()  # until somebody has had enough
            case "stalls reading":
                await client.send(data)
                await asyncio.sleep(PATIENCE * 1.5 * plan.where)
            case "half-closes":
                await client.send(data[:part] if plan.by_reset else data)
                client.end()
                await client.rest()
            case "sends nonsense":
                cut = data.find(b"\r\n\r\n") + 4
                await client.send(data[: max(part, cut)] + b"\r\n\0nonsense\r\n\r\n")
                client.end()
                await client.rest()
        if plan.by_reset:
            client.reset()
        else:
            client.close()


# All of it.


class Complaints(logging.Handler):
    """What the server complains of, but for requests that it cannot read, of which there are many here."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)):
            self.records.append(self.format(record))


@contextmanager
def nothing_left() -> Iterator[None]:
    """No task and no file descriptor but those that were there before."""
    gc.collect()
    tasks, files = asyncio.all_tasks(), descriptors()
    yield
    gc.collect()
    assert asyncio.all_tasks() == tasks
    left = descriptors()
    assert left == files, (left - files, files - left)


def descriptors() -> Counter[str]:
    """The process's open files, by kind. uvloop keeps a spare one for when there are no more."""
    kinds: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            kinds[re.sub(r"\d+", "", os.readlink(f"/proc/self/fd/{name}"))] += 1
    del kinds["/dev/null"]
    return kinds


async def until_quiet(upstreams: Sequence[Upstream], servers: Sequence[FakeUpstream]) -> None:
    """Return when all that was under way has ended."""
    try:
        async with asyncio.timeout(TIMEOUT):
            while any(server.open != server.idle for server in servers) or any(  # noqa: ASYNC110
                endpoint.in_flight for upstream in upstreams for endpoint in upstream.endpoints
            ):
                await asyncio.sleep(0.01)  # nobody would tell
    except TimeoutError:
        raise AssertionError(f"still under way: {upstreams!r} {servers!r}") from None


async def abuse(count: int, seed: int) -> Counter[str]:
    """Serve that many requests; what became of them. Raises ``AssertionError`` for what went wrong, or was left."""
    rng = random.Random(seed)
    todo = list(plans(count, rng))
    serve = Server()
    servers = [FakeUpstream(record_limit=1000) for _ in range(ENDPOINTS)]
    with nothing_left():
        for server in servers:
            server.always(Action("serve()", serve, governs_body=True))
            await server.start()
        nobody = FakeUpstream()
        await nobody.start()
        await nobody.stop()
        timeouts = Timeouts(connect=PATIENCE, head=PATIENCE, idle=PATIENCE)
        limits = Limits(connections=CONCURRENCY // 2, wait=TIMEOUT, idle=0.2)
        upstream = Upstream(*(server.url for server in servers), name="some", timeouts=timeouts, limits=limits)
        refusing = Upstream(nobody.url, name="none")

        async def choose(exchange: Exchange) -> Response:
            return await (refusing if exchange.inbound.path == "/refused" else upstream)(exchange)

        proxy = ProxyHandler(choose, write_timeout=PATIENCE)
        complaints, logger = Complaints(), logging.Logger("server")
        logger.addHandler(complaints)
        try:
            async with serving(proxy, lingering_time=PATIENCE, logger=logger) as site:
                crowd = Crowd(site)
                await visit_all(crowd, todo, rng)
                await until_quiet([upstream, refusing], servers)
                check_pools(upstream, servers)
                for part in (*upstream.parts(), *refusing.parts()):
                    if hasattr(part, "stop"):
                        await part.stop()
        finally:
            for server in servers:
                await server.stop()
    assert complaints.records == []
    assert serve.wrong == []
    return crowd.came


async def visit_all(crowd: Crowd, todo: list[Plan], rng: random.Random) -> None:
    """Bring the requests on connections of one to four, so many at a time."""
    free = asyncio.Semaphore(CONCURRENCY)

    async def visit(visits: Sequence[Plan]) -> None:
        try:
            await crowd.visit(visits)
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        while todo:
            size = rng.randint(1, 4)
            visits, todo = todo[:size], todo[size:]
            await free.acquire()
            group.create_task(visit(visits))


def check_pools(upstream: Upstream, servers: Sequence[FakeUpstream]) -> None:
    """What the pools believe is so: as many connections as the servers see, all idle, nobody waiting."""
    states = re.findall(r"<Pool \S+ open=(-?\d+)/\d+ idle=(\d+) waiting=(\d+)>", repr(upstream.parts()))
    assert len(states) == len(servers), upstream.parts()
    assert sorted(states) == sorted((str(server.open), str(server.open), "0") for server in servers)
