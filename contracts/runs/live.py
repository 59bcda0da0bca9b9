"""The real provider: a plan that is told first, a budget, documented examples, and one trace that all checks judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from time import perf_counter

from ...openapi.behaviour import Template
from ...openapi.provider import Provider
from ...openapi.template import TemplateError
from ..checks.oracle import Oracle
from .ask import ask_for_task, exchange_of, key_header, make_ask
from .drafts import Draft, Drafts, Form
from .letters import called_back
from .lives import after_the_end, balance, listed, until_the_end
from .preflight import look, unknown_id
from .run import Run
from .target import Target
from .verification import Verification, VerifySettings

_LAST_CALLBACKS = 10_000
_WRONG_KEY = "invalid"


@dataclass(frozen=True)
class Budget:
    """What a verification of the real provider may cost at most.

    Attributes:
        tasks: how many tasks may be created.
        credits: how many credits may be spent, by assumed prices before a creation and by the balance after it.
    """

    tasks: int = 3
    credits: float = 50


@dataclass(frozen=True)
class Creation:
    """A task that is to be created.

    Attributes:
        form: how.
        draft: with what.
        price: the credits that it is assumed to cost.
    """

    form: Form
    draft: Draft
    price: float


@dataclass(frozen=True)
class Plan:
    """What will be sent.

    Attributes:
        creations: what costs something.
        others: what costs nothing, a sentence each.
        left_out: what the budget has no room for, a sentence each.
    """

    creations: tuple[Creation, ...]
    others: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def credits(self) -> float:
        """The most credits that the creations cost, by assumed prices."""
        return sum(each.price for each in self.creations)

    def lines(self, base_url: str) -> list[str]:
        """Return the plan for a person."""
        told = [f"This will be sent to {base_url}:"]
        told += [f"  - {each.form.name}: creates a task, about {each.price:g} credits" for each in self.creations]
        told += [f"  - {each}" for each in self.others]
        told += [f"  - left out: {each}" for each in self.left_out]
        tasks = len(self.creations)
        return [
            *told,
            f"At most {tasks} task{'s' * (tasks != 1)} and about {self.credits:g} credits (prices are assumed).",
        ]


def make_plan(provider: Provider, budget: Budget, settings: VerifySettings) -> Plan:
    """Return what a verification of the real provider would send."""
    oracle = Oracle(provider)
    drafts = Drafts(oracle, settings.callback_url)
    creations: list[Creation] = []
    left_out = []
    for form in (each for operation in oracle.doing("create") for each in drafts.forms(operation)):
        draft = _cheapest(oracle, drafts, form)
        if draft is None:
            left_out.append(f"{form.name}: there is no valid example")
        elif len(creations) >= budget.tasks:
            left_out.append(f"{form.name}: beyond --max-tasks {budget.tasks}")
        elif sum(each.price for each in creations) + draft.price > budget.credits:
            left_out.append(f"{form.name}: beyond --max-credits {budget.credits:g}")
        else:
            creations.append(draft)
    return Plan(tuple(creations), tuple(_others(oracle, settings)), tuple(left_out))


def _cheapest(oracle: Oracle, drafts: Drafts, form: Form) -> Creation | None:
    made = [Creation(form, each, assumed_price(oracle, form, each)) for each in drafts.examples(form)]
    return min(made, key=lambda each: each.price, default=None)


def assumed_price(oracle: Oracle, form: Form, draft: Draft) -> float:
    """Return the credits that the behaviour file says a creation costs, 1 where it does not say."""
    model = oracle.behaviour.models.get(form.variant or form.operation.behaviour.model or "")
    if model is None:
        return 1
    if not isinstance(model.credits, Template):
        return model.credits
    seen = oracle.observe(exchange_of(form.ask(draft, None)))
    try:
        return float(model.credits({"input": seen.whole_request, "model": model.name}))
    except (TemplateError, TypeError, ValueError, ArithmeticError):
        return 1


def _others(oracle: Oracle, settings: VerifySettings) -> Iterable[str]:
    yield "polls of each task at the advised pace until it ends, and the balance around each creation"
    yield "polls of a task that does not exist, without a key and with a wrong one too; a path that does not exist"
    if settings.other_key:
        yield "polls of each task with the other key"
    if oracle.doing("cancel"):
        yield "a cancellation of each task after its end"
    if oracle.doing("list"):
        yield "lists of the tasks"
    if settings.callback_url:
        yield f"callbacks are asked for at {settings.callback_url}"


def verify_live(
    provider: Provider, target: Target, plan: Plan, budget: Budget, settings: VerifySettings, *,
    said: Callable[[str], None] = lambda _: None,
) -> Verification:  # fmt: skip
    """Do what `plan` says with the real provider at `target`.

    Raises:
        UnreachableError: there is no such provider at the target, it does not take the key, or it went away.
    """
    began = perf_counter()
    oracle = Oracle(provider)
    result = Verification()
    look(oracle, target, settings.key)
    result.tally.judge_contract(oracle)
    run = Run(oracle, target, settings, result, said, steers=False)
    if not settings.other_key:
        run.note("a second account was left out: no other key was given")
    for each in plan.left_out:
        run.note(f"left out: {each}")
    try:
        with run.part("the real provider"):
            _live(run, plan, budget)
    finally:
        run.close()
        result.seconds = perf_counter() - began
    return result


def _live(run: Run, plan: Plan, budget: Budget) -> None:
    spent = _Spent(run)
    tasks = 0
    for creation in plan.creations:
        if tasks >= budget.tasks or spent.credits + creation.price > budget.credits:
            run.note(f"{creation.form.name} was left out: {tasks} tasks and {spent.credits:g} credits were spent")
            continue
        tasks += _created(run, creation)
        spent.read()
    spent.tell(tasks)
    listed(run)
    _refused(run)
    if run.settings.callback_url and tasks:
        run.said("waiting for callbacks")
        for _ in range(_LAST_CALLBACKS // 100):
            if len(run.came) >= tasks:
                break
            run.wait(100)


class _Spent:
    """What has been spent, by the balance where it can be read."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._first = self._balance()
        self.credits = 0.0

    def read(self) -> None:
        """Read the balance anew."""
        now = self._balance()
        if now is not None and self._first is not None:
            self.credits = max(self.credits, self._first - now)

    def tell(self, tasks: int) -> None:
        """Note what it has cost."""
        counted = f"{tasks} task{'s were' if tasks != 1 else ' was'} created"
        if self._first is None:
            self._run.note(f"{counted}; no balance tells what was spent")
        else:
            self._run.note(f"{counted}, {self.credits:g} credits spent by the balance")

    def _balance(self) -> float | None:
        balance(self._run)
        told = [each.facts.get("balance") for each in self._run.seen if each.does == "balance"]
        return told[-1] if told and isinstance(told[-1], int | float) else None


def _created(run: Run, creation: Creation) -> int:
    """Create a task and watch it; return how many tasks there are more."""
    run.said(f"{creation.form.name}: creating a task")
    balance(run)
    ask = creation.form.ask(creation.draft, run.key)
    callbacks = run.oracle.behaviour.callbacks
    created = run.ask(ask if callbacks is None else called_back(run, callbacks, ask))
    balance(run)
    if created.task_id is None:
        run.note(f"{creation.form.name}: no task to watch, the creation was answered {created.exchange.status}")
        return int(created.refusal is None)  # unless it was refused, it may exist for all we know
    run.said(f"{creation.form.name}: watching {created.task_id}")
    until_the_end(run, creation.form, created)
    after_the_end(run, creation.form, created)
    balance(run)
    return 1


def _refused(run: Run) -> None:
    """Ask what is refused and can cost nothing."""
    for operation in run.oracle.doing("poll")[:1]:
        ask = ask_for_task(operation, run.key, unknown_id(operation))
        run.ask(ask)
        for name, wrong in key_header(operation, run.oracle.behaviour.key_prefix + _WRONG_KEY).items():
            run.ask(ask.with_header(name, None))
            run.ask(ask.with_header(name, wrong))
    for operation in run.oracle.doing("balance"):
        ask = make_ask(operation, run.key)
        run.ask(replace(ask, path="/understudy/unknown", query=""))
