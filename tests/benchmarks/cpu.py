"""Processor time and memory of a process and all that descend from it, from Linux' clocks and ``/proc``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: what is resident now, and the most that ever was (``VmHWM``)."""

    resident: int
    peak: int


def _fields(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the command, whose name may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """``pid`` and its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_fields(int(entry.name))[1]), []).append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [pid]
    for member in found:
        found.extend(children.get(member, ()))
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of these processes, and of their children that ended, which is in clock ticks (10 ms)."""
    seconds = 0.0
    for pid in pids:
        seconds += time.clock_gettime(_clock(pid))
        seconds += sum(int(field) for field in _fields(pid)[13:15]) / _TICKS  # cutime, cstime
    return seconds


def _clock(pid: int) -> int:
    """``clock_getcpuclockid(3)``, which Python does not have, as it is on Linux: of all threads of a process."""
    return (~pid << 3) | 2


def memory(pids: list[int]) -> Memory:
    resident = peak = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmRSS":
                resident += int(value.split()[0]) * 1024
            elif name == "VmHWM":
                peak += int(value.split()[0]) * 1024
    return Memory(resident, peak)


def forget_peak(pid: int) -> bool:
    """Let ``VmHWM`` begin again at what is resident now; whether the system allowed it."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True
