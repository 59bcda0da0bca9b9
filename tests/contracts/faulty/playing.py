"""Ways in which the provider that is played, or the one that is documented, differs from the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from understudy.openapi.provider import Provider


def slower(factor: int) -> Callable[[Provider], None]:
    """Let every status last `factor` times as long."""

    def change(provider: Provider) -> None:
        statuses = {
            name: replace(each, lasts=(each.lasts[0] * factor, each.lasts[1] * factor))
            for name, each in provider.behaviour.statuses.items()
        }
        provider.behaviour = replace(provider.behaviour, statuses=statuses)

    return change


def retried(retries: tuple[int, ...]) -> Callable[[Provider], None]:
    """Let failed callbacks be repeated after other pauses."""

    def change(provider: Provider) -> None:
        callbacks = provider.behaviour.callbacks
        assert callbacks is not None
        provider.behaviour = replace(provider.behaviour, callbacks=replace(callbacks, retries=retries, jitter=0.0))

    return change


def with_wrong_example(provider: Provider) -> None:
    """Document an answer to creations whose example does not fit its schema."""
    creation = next(each for each in provider.behaviour.operations.values() if each.does == "create")
    responses = provider.contract.operations[creation.name].effective["responses"]
    response = provider.contract.resolve(next(iter(responses.values())))
    next(iter(response["content"].values()))["example"] = "a picture"
