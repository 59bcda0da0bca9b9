"""The load generator: what it counts, and how it ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from benchmarks.jobs import creations, once, repeated
from benchmarks.load import Ask, LoadError, Outcome, length_of, load

ASK = Ask(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"right")
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"
Speak = Callable[[socket.socket, int], bool]


@contextmanager
def speaking(speak: Speak) -> Iterator[int]:
    """Answer the requests of one connection after another by `speak`, which tells whether the connection goes on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, speak), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(listener: socket.socket, speak: Speak) -> None:
    number = 0
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while connection.recv(65536) and speak(connection, number):
                number += 1
            number += 1


def says(*parts: bytes) -> Speak:
    """Send every answer in these parts."""

    def speak(connection: socket.socket, _: int) -> bool:
        for part in parts:
            connection.sendall(part)
        return True

    return speak


def test_an_answer_counts_when_all_of_it_has_come() -> None:
    with speaking(says(RIGHT[:20], RIGHT[20:40], RIGHT[40:])) as port:
        outcome = load(port, lambda: repeated(ASK), 1, most=20)
    assert (len(outcome.waits), outcome.errors) == (20, 0)


def test_an_answer_in_chunks_counts_when_the_last_has_come() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with speaking(says(head, b"5\r\nright\r\n", b"0\r\n\r\n")) as port:
        outcome = load(port, lambda: repeated(ASK), 1, most=5)
    assert (len(outcome.waits), outcome.errors) == (5, 0)


def test_wrong_answers_are_told_and_do_not_count() -> None:
    def speak(connection: socket.socket, number: int) -> bool:
        connection.sendall(RIGHT if number % 2 else RIGHT.replace(b"right", b"wrong"))
        return True

    with speaking(speak) as port:
        outcome = load(port, lambda: repeated(ASK), 1, most=10)
    assert (len(outcome.waits), outcome.errors) == (10, 10)
    assert outcome.example.endswith(b"wrong")


def test_a_status_that_was_not_expected_is_wrong_whatever_the_body_says() -> None:
    with speaking(says(RIGHT.replace(b"200 OK", b"500 No"))) as port:
        outcome = load(port, lambda: once(ASK), 1)
    assert (len(outcome.waits), outcome.errors) == (0, 1)


def test_a_connection_that_breaks_is_an_error_and_is_opened_anew() -> None:
    def speak(connection: socket.socket, number: int) -> bool:
        if number == 1:
            connection.sendall(RIGHT[:-2])
            return False
        connection.sendall(RIGHT)
        return True

    with speaking(speak) as port:
        outcome = load(port, lambda: repeated(ASK), 1, most=5)
    assert (len(outcome.waits), outcome.errors) == (5, 1)


def test_a_server_that_is_always_wrong_is_given_up() -> None:
    with (
        speaking(says(RIGHT.replace(b"right", b"wrong"))) as port,
        pytest.raises(LoadError, match=r"1000 wrong answers; the first: .*wrong"),
    ):
        load(port, lambda: repeated(ASK), 1)


def test_the_time_is_bounded() -> None:
    with speaking(says(RIGHT)) as port:
        outcome = load(port, lambda: repeated(ASK), 1, seconds=0.05)
    assert 0.05 <= outcome.seconds < 5
    assert outcome.rate == len(outcome.waits) / outcome.seconds > 0
    assert 0 < outcome.busy <= 1.1


def test_scripts_are_sent_the_answers_and_end_by_themselves() -> None:
    body = b'{"data":{"taskId":"task_1"}}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    tasks: list[str] = []
    with speaking(says(answer)) as port:
        load(port, lambda: creations(tasks, count=3), 1)
    assert tasks == ["task_1"] * 3


def test_waits_are_told_in_milliseconds_by_share() -> None:
    outcome = Outcome(seconds=2, waits=[number / 1000 for number in range(1, 101)])
    assert (outcome.wait(0.5), outcome.wait(0.99), outcome.wait(1)) == (51, 100, 100)
    assert outcome.rate == 50
    assert (Outcome().wait(0.5), Outcome().rate) == (0, 0)


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 12", 12),
        (b"HTTP/1.1 200 OK\r\nx: 1\r\ncontent-length:7\r\ny: 2", 7),
        (b"HTTP/1.1 204 No Content", 0),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", -1),
    ],
)
def test_the_head_tells_how_long_the_body_is(head: bytes, length: int) -> None:
    assert length_of(head) == length
