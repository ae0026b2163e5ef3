"""What a load is; and that by ``wrk``, with one exchange by hand before it that checks every byte."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path

from .cases import Case, body_of

SCRIPT = Path(__file__).with_name("wrk.lua")
COUNTS = ("connect", "read", "write", "timeout")
"""The errors of sockets that ``wrk`` tells apart."""


class LoadFailed(Exception):
    """The load could not be made, or the answers are not what the back end sent."""


@dataclass(frozen=True, slots=True)
class Load:
    """What was done in one round, and how it looked from the client."""

    requests: float
    seconds: float
    p50: float
    p99: float
    trouble: str
    """Non-2xx answers and socket errors, in words; empty if there were none."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The same in numbers, as far as the generator has them: by ``COUNTS``, and ``status``."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Who makes the load of a case on a port."""

    check: Callable[[int, Case], None]
    """Let it be done once, and compare every byte. Raises ``LoadFailed``."""
    ready: Callable[[int, Case], AbstractContextManager[Callable[[float], Load]]]
    """All that comes before the load, which then is put on for so many seconds: that alone is measured."""


def require_wrk() -> str:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("the benchmark needs wrk for its load: it is not present")
    return wrk


def put_load(port: int, case: Case, seconds: float) -> Load:
    """One thread of ``wrk`` for so long. It takes whole seconds only, so it is stopped by SIGINT, on which it reports
    as at its regular end."""
    argv = [require_wrk(), "--threads", "1", "--connections", str(case.connections), "--timeout", "10s"]
    argv += ["--duration", f"{ceil(seconds) + 5}s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}{case.path}"]
    for name, value in case.fields.items():
        argv += ["--header", f"{name}: {value}"]
    with (
        _body_file(case) as file,
        subprocess.Popen(
            [*argv, "--", file] if case.upload else argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        ) as wrk,
    ):
        try:
            time.sleep(seconds)
            wrk.send_signal(signal.SIGINT)
            output, _ = wrk.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            raise LoadFailed("wrk did not end") from None
        finally:
            wrk.kill()
    return _read(output, case)


@contextmanager
def _body_file(case: Case) -> Iterator[str]:
    with tempfile.NamedTemporaryFile(prefix="revproxy-body-") as file:
        if case.upload:
            file.write(body_of(case))
            file.flush()
        yield file.name


def _read(output: str, case: Case) -> Load:
    _, found, line = output.rpartition("\nRESULT ")
    if not found:
        raise LoadFailed(f"wrk: {output.strip().splitlines()[-1] if output.strip() else 'no output'}")
    result: dict[str, int] = json.loads(line)
    requests = result["bytes"] / case.size if case.by_bytes else float(result["requests"])
    trouble = [f"{result[name]} {name} errors" for name in COUNTS if result[name]]
    if result["status"]:
        trouble.append(f"{result['status']} of {result['requests']} answers not 2xx")
    if not requests:
        trouble.append("no answer")
    return Load(
        requests=requests,
        seconds=result["microseconds"] / 1e6,
        p50=result["p50"] / 1e6,
        p99=result["p99"] / 1e6,
        trouble=", ".join(trouble),
        counts={name: result[name] for name in (*COUNTS, "status")},
    )


def check(port: int, case: Case) -> None:
    """One exchange, compared byte for byte: a subject that answers fast and wrong is not to be measured."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        if case.upload:
            connection.request("POST", case.path, body=body_of(case), headers=dict(case.fields))
        else:
            connection.request("GET", case.path, headers=dict(case.fields))
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise LoadFailed(repr(error)) from error
    finally:
        connection.close()
    if response.status != 200:
        raise LoadFailed(f"answered {response.status}")
    if case.upload:
        # The answer is how many bytes arrived: of the body, or of the whole request with its head and framing.
        if not (answer.strip().isdigit() and int(answer) >= case.size):
            raise LoadFailed(f"the back end did not get the whole body but {answer[:40]!r}")
    elif answer != body_of(case):
        raise LoadFailed(f"{len(answer)} bytes, not those that were sent")


WRK = Generator(check, lambda port, case: nullcontext(partial(put_load, port, case)))
