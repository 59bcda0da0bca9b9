"""How many answers per second, and how late: every server at every job, in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from . import jobs
from .answers import WrongAnswerError, check
from .figures import LIMIT, OURS, Results, alternate
from .load import Ask, LoadError, Outcome, Script, load
from .peers import PeerError, command_of
from .servers import ROOT, Command, Running, StartError, bare, understudy

JOBS = ("creation", "polling", "polling, ended", "life", "refusal")
"""Creation of tasks; polls of tasks under way, and of tasks that have ended; lives of one creation, five polls and one
download; creations that are refused for a wrong value."""
CONNECTIONS = (32, 1)
BELIEVER, CHECKER = "Starlette", "Starlette, checked"
_TASKS = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long.

    Attributes:
        runs: how many runs of each kind there are.
        seconds: how long one is.
        warm_seconds: how long a server is under load before its first run.
        settle_seconds: how long before each other run.
    """

    runs: int
    seconds: float
    warm_seconds: float
    settle_seconds: float


def measure(results: Results, names: Iterable[str], peers: Sequence[str], core: int, pace: Pace) -> None:
    """Measure the jobs called `names`."""
    for job in names:
        with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
            folder = stage(Path(place) / "stage", job)
            started = {}
            for name, command in commands(job, folder, peers, results.left_out).items():
                try:
                    started[name] = stack.enter_context(Running(command, core, ready=ask_of(job, name)))
                    check(started[name].port, job, keeps=name not in {LIMIT, *peers}, state=_state(job))
                except (StartError, WrongAnswerError) as error:
                    if name not in peers:
                        raise WrongAnswerError(f"{name}, {job}: {error}") from None
                    results.left_out[f"{name}, {job}"] = str(error)
                    started.pop(name, None)
            _Contest(results, job, started, pace).hold()


class _Contest:
    """A job on all servers that can do it; one that breaks down is left out from there on."""

    def __init__(self, results: Results, job: str, started: Mapping[str, Running], pace: Pace) -> None:
        self._results = results
        self._job = job
        self._started = started
        self._pace = pace
        self._scripts = {name: script_of(job, name, server.port) for name, server in started.items()}
        self._outcomes: dict[str, list[Outcome]] = {}
        self._connections = 0

    def hold(self) -> None:
        """Put all under load in turn, at each number of connections."""
        for connections in CONNECTIONS:
            self._connections = connections
            self._outcomes = {name: [] for name in self._scripts}
            alternate(self._pace.runs, list(self._scripts), self._run)
            for name in self._scripts:
                record(self._results, self._job, name, connections, self._outcomes[name])

    def _run(self, name: str) -> None:
        if name not in self._scripts:
            return
        server, script, connections = self._started[name], self._scripts[name], self._connections
        cold = connections == CONNECTIONS[0] and not self._outcomes[name]
        try:
            server.under(script, connections, self._pace.warm_seconds if cold else self._pace.settle_seconds)
            self._outcomes[name].append(server.under(script, connections, self._pace.seconds))
        except (LoadError, OSError) as error:
            self._results.left_out[f"{name}, {self._job}, {connections} connections"] = str(error)
            self._scripts.pop(name)


def record(results: Results, measure: str, server: str, at: int, outcomes: Sequence[Outcome]) -> None:
    """Keep what runs under load came to."""
    results.add(measure, "rate", server, at, [each.rate for each in outcomes])
    results.add(measure, "p50", server, at, [each.wait(0.5) for each in outcomes])
    results.add(measure, "p99", server, at, [each.wait(0.99) for each in outcomes])
    results.add(measure, "errors", server, at, [each.errors for each in outcomes])
    results.add(measure, "cpu", server, at, [each.spent / max(len(each.waits), 1) * 1e6 for each in outcomes])
    results.add(measure, "busy", server, at, [each.busy for each in outcomes])


def stage(folder: Path, job: str) -> Path:
    """Write what servers are to answer into `folder`, and return it."""
    folder.mkdir()
    document = yaml.safe_load((ROOT / "openapi/providers/kie/nano-banana-pro.yaml").read_text())
    body = document["paths"]["/api/v1/jobs/createTask"]["post"]["requestBody"]
    told = {
        "schema": body["content"]["application/json"]["schema"],
        "created": jobs.created(),
        "refused": jobs.refused(),
        "polled": jobs.polled("http://127.0.0.1", state=_state(job)),
    }
    for name, value in told.items():
        (folder / f"{name}.json").write_bytes(jobs.as_json(value))
    (folder / "picture.png").write_bytes(jobs.picture())
    return folder


def _state(job: str) -> str:
    return "generating" if job == "polling" else "success"


def commands(job: str, folder: Path, peers: Iterable[str], left_out: dict[str, str]) -> dict[str, Command]:
    """Return how to start every server that can do a job, by name; why others can't goes into `left_out`."""
    flags = {
        "polling": ("--scenario", "stuck; waiting=0s; queuing=0s"),
        "polling, ended": ("--instant",),
        "life": ("--scenario", f"success; progress=polls; file={folder / 'picture.png'}"),
    }
    polls = {"polling": 1 << 40, "life": jobs.POLLS - 1}.get(job, 0)
    found = {
        OURS: understudy(*flags.get(job, ())),
        LIMIT: bare("refusing" if job == "refusal" else "raw", folder, polls),
        BELIEVER: bare("starlette", folder, polls),
        CHECKER: bare("checked", folder, polls),
    }
    if job == "refusal":
        found.pop(BELIEVER)  # it believes everything
    for name in peers:
        if name == "prism" and job == "life":
            continue  # it serves no files
        try:
            found[name] = command_of(name, stage(folder / name, job))
        except PeerError as error:
            left_out[name] = str(error)
    return found


def ask_of(job: str, server: str) -> Ask:
    """Return the request of a job that makes nothing but one kind of request."""
    if job != "refusal":
        return jobs.CREATION
    return jobs.REFUSAL._replace(begins=b"HTTP/1.1 422") if server == "prism" else jobs.REFUSAL


def script_of(job: str, server: str, port: int) -> Callable[[], Script]:
    """Return what makes the scripts of a job; tasks to poll are created first."""
    if job == "life":
        return lambda: jobs.life(jobs.picture()[:64])
    if job in {"creation", "refusal"}:
        return lambda: jobs.repeated(ask_of(job, server))
    tasks: list[str] = []
    load(port, lambda: jobs.creations(tasks), 1, most=_TASKS)
    return jobs.poll_in_turn(tasks)
