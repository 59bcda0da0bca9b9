"""The repository as a whole: what is said twice is said alike, and what stands nowhere in it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

from understudy.entrypoints.version import VERSION

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    """Return the files of the repository, but for the lock."""
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and name != "uv.lock" and (ROOT / name).is_file()]


def test_the_version_is_said_once_and_repeated_rightly() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == version("understudy") == VERSION


def test_no_file_names_a_package_registrys_host_or_a_home_folder() -> None:
    hosts = "|".join(map(re.escape, ("files.pythonhosted" + ".org", "pypi" + ".org", "npmjs" + ".org", "/ro" + "ot/")))
    pattern = re.compile(hosts.encode())
    assert [path.name for path in tracked() if pattern.search(path.read_bytes())] == []
