"""Which connections of this process lead to a server, told from its file descriptors."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

_FOLDERS = (Path("/proc/self/fd"), Path("/dev/fd"))
"""Where systems list the descriptors of a process: Linux, and those that follow BSD."""


def connections_to(host: str, port: int) -> frozenset[tuple[int, str]] | None:
    """Return the open connections to a server, each by its descriptor and its own address.

    None where the system does not tell. One that the server has closed and the client has not is open.
    """
    folder = next((each for each in _FOLDERS if each.is_dir()), None)
    if folder is None:
        return None
    with suppress(OSError):
        addresses = {each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        numbers = [int(name) for name in os.listdir(folder) if name.isdecimal()]  # noqa: PTH208 - names suffice
        found = ((number, _own_address(number, addresses, port)) for number in numbers)
        return frozenset((number, own) for number, own in found if own)
    return None


def _own_address(number: int, addresses: set[str | int], port: int) -> str:
    """Return the address from which the descriptor `number` leads to the server, "" where it does not."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return ""
        with socket.socket(fileno=os.dup(number)) as copy:
            if copy.family not in {socket.AF_INET, socket.AF_INET6} or copy.type != socket.SOCK_STREAM:
                return ""
            peer, own = copy.getpeername(), copy.getsockname()
    except OSError:  # closed meanwhile, or connected to nothing
        return ""
    return f"{own[0]}:{own[1]}" if peer[0] in addresses and peer[1] == port else ""
