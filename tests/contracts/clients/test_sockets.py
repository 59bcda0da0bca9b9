"""Open connections, counted among this process's descriptors."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest
from understudy.contracts.clients import sockets
from understudy.contracts.clients.sockets import connections_to


def test_a_connection_is_counted_from_when_it_is_made_until_it_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        before = connections_to("localhost", port)
        assert before is not None
        with closing(socket.create_connection(("127.0.0.1", port))) as connection:
            server_side, _ = listener.accept()
            found = connections_to("localhost", port)
            assert found is not None
            assert found - before == {(connection.fileno(), "{}:{}".format(*connection.getsockname()))}
            server_side.close()  # what the server closed is open until the client closes it too
            assert connections_to("localhost", port) == found
        assert connections_to("localhost", port) == before == frozenset()


def test_where_descriptors_are_not_listed_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_FOLDERS", (Path("/nowhere"),))
    assert connections_to("localhost", 80) is None


def test_a_host_without_an_address_is_not_judged() -> None:
    assert connections_to("nowhere.invalid", 80) is None
