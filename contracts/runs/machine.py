"""A state machine that lives with a provider as an application does, in any order, and has everything judged.

Several tasks of two accounts are created, polled, cancelled and waited for, while the clock goes on and the receiver
of callbacks breaks now and then. What may be done next is decided by the model alone: by what was asked, never by
what the provider said of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ..checks.finding import Finding
from .ask import ask_for_task, cancel_of, poll_of
from .control import ControlError
from .drafts import Form
from .explore import forms_of
from .letters import called_back, secret_of, set_up
from .lives import balance, listed
from .run import Run

WAITS = (100, 1_000, 5_000, 20_000, 120_000)
"""Milliseconds that are waited at once: within a status, across one, past the end, past first repetitions."""
MOST_TASKS = 6
STEPS = 20
_MOST_SHRUNK = 4
_MOST_LIVES = 500
_SHRINKING_LIVES = 40


def interleaved(run: Run) -> None:
    """Let lives go on side by side, in drawn orders; make what shows a finding as short as it still shows it."""
    forms = [each for operation in run.oracle.doing("create") for each in forms_of(run, operation)]
    if not forms:
        return
    if not run.steers:
        run.note("lives side by side were left out: they need an emulator")
        return
    before, lives = run.found(), min(max(1, run.settings.max_examples // 2), _MOST_LIVES)
    run.said(f"{lives} lives side by side, {STEPS} steps each")
    _play(run, forms, None, lives)
    for finding in run.new_findings(before)[:_MOST_SHRUNK]:
        run.said(f"looking for the shortest life that shows {finding.check}")
        shown = _play(run, forms, finding, _SHRINKING_LIVES)
        if shown is not None:
            run.result.tally.replace(shown)


def _play(run: Run, forms: list[Form], sought: Finding | None, lives: int) -> Finding | None:
    """Play so many lives; where something is `sought`, return how the shortest of them shows it, else None."""
    machine = machine_for(run, forms, sought)
    phases = [Phase.generate] if sought is None else [Phase.generate, Phase.shrink]
    held = settings(
        max_examples=lives, stateful_step_count=STEPS, database=None, deadline=None, phases=phases,
        verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck), print_blob=False, derandomize=False,
        report_multiple_bugs=False,
    )  # fmt: skip
    with suppress(HypothesisException, SoughtError):
        run_state_machine_as_test(seed(run.settings.seed)(machine), settings=held)
    return machine.shown


class SoughtError(AssertionError):
    """What was sought is there: Hypothesis looks for a shorter life that shows it."""


@dataclass(slots=True)
class ModelTask:
    """What the model knows of a task: whose it is, and how it was asked for."""

    id: str
    form: Form
    key: str


class ProviderMachine(RuleBasedStateMachine):
    """One life with a provider; see `machine_for`.

    Attributes:
        run: asks and judges.
        forms: how tasks are created.
        sought: the finding that is looked for, None where everything is only judged and counted.
        shown: the last finding like it.
    """

    run: Run
    forms: list[Form]
    sought: Finding | None
    shown: Finding | None

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[ModelTask] = []
        self._context: AbstractContextManager[Any] = (
            self.run.part("lives side by side") if self.sought is None else self.run.trial()
        )
        self._found: list[Finding] | None = None

    @initialize(signed=st.booleans())
    def begin(self, signed: bool) -> None:  # noqa: FBT001 - drawn
        """Begin with fresh accounts, whose callbacks go to the receiver."""
        self._found = self._context.__enter__() or []
        callbacks = self.run.oracle.behaviour.callbacks
        if callbacks is not None and self.run.receiver is not None:
            set_up(self.run, callbacks, secret_of(self.run) if signed and callbacks.signature else "")

    def teardown(self) -> None:
        """Have all of it judged.

        Raises:
            SoughtError: it shows what is sought.
        """
        if self._found is None:
            return
        self.run.wait(WAITS[-1])
        self._context.__exit__(None, None, None)
        for finding in self._found:
            if self.sought is not None and finding.signature == self.sought.signature:
                type(self).shown = finding
                raise SoughtError(finding.check)

    @rule(data=st.data(), other=st.booleans())
    @precondition(lambda self: len(self.tasks) < MOST_TASKS)
    def create(self, data: st.DataObject, other: bool) -> None:  # noqa: FBT001 - drawn
        """Create a task of one of the accounts."""
        run = self.run
        form = data.draw(st.sampled_from(self.forms))
        draft = data.draw(form.drafts)
        key = run.other_key if other and run.other_key else run.key
        callbacks = run.oracle.behaviour.callbacks
        ask = form.ask(draft, key)
        if callbacks is not None and run.receiver is not None:
            ask = called_back(run, callbacks, ask)
        seen = run.ask(ask)
        if seen.task_id is not None:
            self.tasks.append(ModelTask(seen.task_id, form, key))

    @rule(data=st.data(), stranger=st.booleans())
    @precondition(lambda self: self.tasks)
    def poll(self, data: st.DataObject, stranger: bool) -> None:  # noqa: FBT001 - drawn
        """Ask for a task, as its owner or as somebody else."""
        task = data.draw(st.sampled_from(self.tasks))
        operation = poll_of(self.run.oracle, task.form.operation.name)
        keys = [each for each in self.run.keys if (each != task.key) == stranger]
        if operation is not None and keys:
            self.run.ask(ask_for_task(operation, keys[0], task.id))

    @rule(data=st.data())
    @precondition(lambda self: any(cancel_of(self.run.oracle, each.form.operation.name) for each in self.tasks))
    def cancel(self, data: st.DataObject) -> None:
        """Cancel a task, once or again."""
        task = data.draw(st.sampled_from(self.tasks))
        operation = cancel_of(self.run.oracle, task.form.operation.name)
        if operation is not None:
            self.run.ask(ask_for_task(operation, task.key, task.id))

    @rule(milliseconds=st.sampled_from(WAITS))
    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.run.wait(milliseconds)

    @rule()
    def look_at_the_account(self) -> None:
        """Read the balance and the list of tasks, where that can be done."""
        balance(self.run)
        listed(self.run)

    @rule(scenario=st.sampled_from(("fail", "moderated")))
    def let_the_next_one_fail(self, scenario: str) -> None:
        """Have the next task fail."""
        control = self.run.control
        if control is not None and scenario.replace("fail", "failed") in self.run.oracle.behaviour.failures:
            with suppress(ControlError):
                control.play(self.run.key, scenario)

    @rule(answers=st.lists(st.sampled_from((500, 404, "reset")), min_size=1, max_size=3))
    @precondition(lambda self: self.run.receiver is not None)
    def break_the_receiver(self, answers: list[int | str]) -> None:
        """Let the receiver fail for the next callbacks."""
        if self.run.receiver is not None:
            self.run.receiver.answers.extend(answers)

    @rule(data=st.data())
    @precondition(lambda self: self.tasks and self.run.receiver is not None)
    def redeliver(self, data: st.DataObject) -> None:
        """Have a callback sent once more, where there is one."""
        task, control = data.draw(st.sampled_from(self.tasks)), self.run.control
        for delivery in control.deliveries(task.key, task.id)[:1] if control is not None else ():
            again = self.run.circumstances.redelivered | {task.id}
            self.run.circumstances = replace(self.run.circumstances, redelivered=again)
            assert control is not None  # noqa: S101 - there would be no deliveries
            control.redeliver(task.key, delivery["id"])
            self.run.wait(1)


def machine_for(run: Run, forms: list[Form], sought: Finding | None) -> type[ProviderMachine]:
    """Return the machine by which `run` creates tasks as `forms` say."""
    return type("ProviderMachine", (ProviderMachine,), {"run": run, "forms": forms, "sought": sought, "shown": None})
