"""How a command ends that can't do what it was asked."""

from __future__ import annotations

import sys
from typing import NoReturn

import click


def fail(message: str) -> NoReturn:
    """Say `message` on stderr and end with status 2."""
    click.echo(f"understudy: {message}", err=True)
    sys.exit(2)
