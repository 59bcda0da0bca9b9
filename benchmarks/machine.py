"""The machine that is measured on: its cores, its processes' memory, and what it is."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "jsonschema-rs", "orjson", "httpx")
_LOOK_SECONDS = 1.0


class MachineError(Exception):
    """Nothing can be measured here."""


def cores() -> tuple[int, int]:
    """Return the core for servers and the one for load.

    Raises:
        MachineError: there are no two, or the system can't pin.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise MachineError("processes can't be pinned to cores here; expected Linux")
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        raise MachineError(f"{len(found)} core; expected 2, one for the server and one for the load")
    return found[0], found[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep to one core for a while; what is started meanwhile keeps to it for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def resident(process: int) -> float:
    """Return the MiB of memory that a process and its children hold."""
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return kilobytes / 1024 + sum(resident(int(child)) for child in children)


def spent(process: int) -> float:
    """Return the seconds of processor time that a process and its children have taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(spent(int(child)) for child in children)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def description() -> dict[str, Any]:
    """Return what the figures depend on: processor, system, Python and libraries."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "others": round(_others(), 3),
    }


def _others() -> float:
    """Return the share of the machine that others take, while this process sleeps."""
    before = _cpu_times()
    time.sleep(_LOOK_SECONDS)
    spent = [now - then for now, then in zip(_cpu_times(), before, strict=True)]
    idle = spent[3] + spent[4]  # idle, and idle while waiting for a disk
    return 1 - idle / sum(spent)


def _cpu_times() -> list[int]:
    return [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
