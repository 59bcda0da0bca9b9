"""The version, as pyproject.toml has it: asking the installed package's metadata would slow every start."""

from __future__ import annotations

VERSION = "0.1.0"
