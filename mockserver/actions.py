"""What the operations do: one function for each word that a behaviour file's `does` may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..openapi.behaviour import Phase, Template
from ..openapi.errors import shorten
from .answer import JSON_ALONE, Answer, render_reply, reply
from .chance import draw
from .life import plan_of, staging_of
from .pictures import result_count
from .plan import Plan, drawn_starts, instant_plan, moved_by_poll
from .refusal import Refused
from .repetition import remember_key, repeated_task
from .task import Staging, Task, TaskView
from .uploads import check_input_pictures, link, presign, store, upload

if TYPE_CHECKING:
    from .call import Call

_CHANGING = {"now", "balance", "base", "request", "polls"}
"""Names that differ from poll to poll while the status stays."""


def perform(call: Call) -> Answer:
    """Do what the call's operation does, and return its answer.

    Raises:
        Refused: the provider would refuse it.
    """
    return _ACTIONS[call.operation.behaviour.does](call)


def _create(call: Call) -> Answer:
    emulator, operation, namespace = call.emulator, call.operation, call.namespace
    repeats = operation.behaviour.idempotency is not None
    if repeats and (repeated := repeated_task(call)) is not None:
        call.exchange.task = repeated.id
        return _task_answer(call, repeated, {"price": repeated.price})
    model = call.variant or operation.behaviour.model or operation.name
    price = _price(call, model)
    if emulator.settings.limits and price > call.balance():
        raise Refused("credits-spent", f"{price} credits are needed", price=price)
    if operation.behaviour.input.images:
        check_input_pictures(call)
    random = draw(emulator.settings.seed, namespace.id, namespace.created + 1)
    plan = _plan(call, random)
    staging = _staging(call) if call.direction.later else None
    namespace.created += 1
    task = Task(
        id=call.provider.make_id(model, call.account.next_id_time(call.now), random),
        number=namespace.created,
        operation=operation,
        model=model,
        created=call.now,
        plan=plan,
        body=call.request.body,
        random=random,
        price=price,
    )
    task.staging = staging
    call.account.charge(task)
    emulator.tasks.add(namespace, call.account, task)
    call.exchange.task = task.id
    if repeats:
        remember_key(call, task)
    _announce(call, task)
    return _task_answer(call, task, {"price": price})


def _plan(call: Call, random: bytes) -> Plan:
    """Return what becomes of a new task: what a scenario says, or else the documented success."""
    instant = call.emulator.settings.instant
    life = next((play for play in call.direction.later if play.kind == "life"), None) if call.direction.later else None
    if life is not None:
        return plan_of(life, call.provider.behaviour, random, instant=instant)
    path = call.provider.success
    return instant_plan(path) if instant else Plan(call.provider.success_names, drawn_starts(path, random))


def _announce(call: Call, task: Task) -> None:
    """Schedule the callbacks about a new task."""
    callbacks = call.provider.behaviour.callbacks
    if callbacks is None:
        return
    url = call.request.text(callbacks.url) if callbacks.url and call.request.body else None
    if url:
        task.stage().callback_url = url
    elif callbacks.setting is None:
        return
    planned = call.emulator.deliveries.plan(call.namespace, call.provider.name, task)
    if any(delivery.fault("early") for delivery in planned):
        call.exchange.early = task


def _staging(call: Call) -> Staging | None:
    call.emulator.deliveries.check_plays(call.namespace, call.provider.name, call.direction.later)
    body = call.operation.with_defaults(call.request.json, call.variant)
    return staging_of(call.direction.later, call.now, result_count(call.operation, body))


def _poll(call: Call) -> Answer:
    task = _task_of(call)
    task.polls += 1
    if task.plan.progress == "polls":
        moved = moved_by_poll(task.plan, task.state(call.now).status, task.polls)
        if moved is not None:
            call.emulator.move(call.namespace, call.provider.name, task, moved)
    return _task_answer(call, task, {}, reusable=True)


def _task_answer(call: Call, task: Task, more: Mapping[str, Any], *, reusable: bool = False) -> Answer:
    """Return the operation's answer about `task`; a `reusable` one is kept once the task has ended."""
    documented = call.operation.behaviour.answer
    state = task.state(call.now)
    kept = task.rendered
    if reusable and kept is not None and kept[1] == state.status and kept[0] == call.operation.name:
        return Answer(documented.status, JSON_ALONE, kept[2])
    phase = call.operation.phase_of(state.status)
    view = TaskView(task, state, phase, _links(call, task, phase))
    body = documented.by_phase.get(phase, documented.body)
    context = {**(call.context if call.operation.tells_of_call else {}), "task": view, **more}
    answer = render_reply(documented, context, body)
    if reusable and phase.terminal and body is not None and documented.headers is None and not body.uses & _CHANGING:
        call.emulator.tasks.remember_answer(task, call.operation.name, state.status, answer.body)
    return answer


def _task_of(call: Call) -> Task:
    task = call.task()
    if task is None or not _is_shown(call, task):
        found = call.request.find(call.operation.behaviour.task_id or "")
        raise Refused("id-unknown", f"no task {shorten(found)} of this key")
    call.exchange.task = task.id
    return task


def _is_shown(call: Call, task: Task) -> bool:
    """Tell whether the call's operation knows `task`: it is kept still, and of the kind that the operation is for."""
    kept_for = call.provider.behaviour.retention.tasks
    creators = call.operation.behaviour.creates
    if creators and task.operation.name not in creators:
        return False
    if task.staging is not None and call.now < task.staging.hidden_until:
        return False
    return kept_for is None or call.now < task.created + kept_for


def _links(call: Call, task: Task, phase: Phase) -> tuple[str, ...]:
    return call.emulator.result_links(call.namespace, call.provider.name, task) if phase is Phase.COMPLETED else ()


def _price(call: Call, model: str) -> float:
    known = call.provider.behaviour.models.get(model)
    if known is None:
        return 1
    if isinstance(known.credits, Template):
        body = call.operation.with_defaults(call.request.json, call.variant)
        return float(known.credits({"input": body, "model": model}) or 0)
    return known.credits


def _balance(call: Call) -> Answer:
    return reply(call, {})


def _estimate(call: Call) -> Answer:
    model = call.variant or call.operation.behaviour.model or ""
    price = _price(call, model)
    return reply(call, {"model": model, "price": price, "affordable": price <= call.balance()})


def _answer(call: Call) -> Answer:
    known = call.provider.behaviour.models.values()
    models = [{"name": model.name, **model.about} for model in known]
    wanted = call.request.text(call.operation.behaviour.model_id)
    chosen = next((model for model in models if model["name"] == wanted), None)
    if wanted is not None and chosen is None:
        raise Refused("model-unknown", f"no model {wanted!r}; known: {', '.join(call.provider.behaviour.models)}")
    return reply(call, {"models": models, "model": chosen})


def _list(call: Call) -> Answer:
    newest = [task for task in reversed(call.account.tasks.values()) if _is_shown(call, task)]
    places = call.operation.behaviour.page
    size = _whole_number(call, places.size, 20)
    start = _whole_number(call, places.start, 0)
    views = []
    for task in newest[start : start + size]:
        state = task.state(call.now)
        phase = task.operation.phase_of(state.status)
        views.append(TaskView(task, state, phase, _links(call, task, phase)))
    more = start + size if start + size < len(newest) else None
    return reply(call, {"tasks": views, "total": len(newest), "page_size": size, "next_page": more})


def _whole_number(call: Call, expression: str | None, default: int) -> int:
    """Return the whole number at `expression`, what is documented where it is left out, or `default`."""
    value = call.operation.parameter_value(call.request, expression) if expression else None
    return int(value) if isinstance(value, int | float) and value >= 0 else default


def _cancel(call: Call) -> Answer:
    task = _task_of(call)
    state = task.state(call.now)
    if call.operation.phase_of(state.status).terminal:
        raise Refused("cancel-late", f"the task is {state.status} and can't be cancelled")
    statuses = call.provider.behaviour.statuses.values()
    cancelled = next(status.name for status in statuses if status.phase is Phase.CANCELLED)
    call.emulator.move(call.namespace, call.provider.name, task, cancelled)
    return _task_answer(call, task, {})


_ACTIONS: dict[str, Callable[[Call], Answer]] = {
    "create": _create,
    "poll": _poll,
    "cancel": _cancel,
    "list": _list,
    "balance": _balance,
    "estimate": _estimate,
    "upload": upload,
    "presign": presign,
    "store": store,
    "link": link,
    "answer": _answer,
}
